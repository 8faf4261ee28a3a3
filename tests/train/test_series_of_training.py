"""What a recipe asks of a training's series, kept weights and patience."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from adapters.ghm import GhmClassification
from adapters.native.ghm_head import GhmHead
from harness.config.recipes import Recipe
from harness.series.reading import read_series
from harness.series.series import Series
from harness.train.checkpoint import load_weights
from harness.train.system import System
from harness.train.training_progress import FINAL
from tests.train.small_training import RECIPE, StopError, Trunk, check_equal, logged, trained

SPENT = {"seconds": 0, "data_wait": None, "cpu_wait": None}


def asking(**more: Any) -> Recipe:
    return RECIPE.model_copy(update=more)


def series(folder: Path) -> Series:
    (found,) = read_series(folder)
    return found


@pytest.mark.parametrize(("patience", "ends"), [(1, 6), (2, 8), (3, 10), (None, 10)])
def test_it_ends_after_so_many_validations_without_a_better_one(
    tmp_path: Path, patience: int | None, ends: int
) -> None:
    result, seen = trained(tmp_path, asking(steps=10, validations=5, patience=patience))
    assert max(seen) == ends
    assert result.selected_step == 4
    check_equal(load_weights(tmp_path / FINAL), seen[4])
    found = series(tmp_path)
    assert found["Train/Loss"]["step"].tolist() == list(range(1, ends + 1))
    stopped = [(each.step, each.text) for each in found.marks if each.kind == "stopped"]
    assert stopped == ([(ends, f"no better validation in {patience}")] if ends < 10 else [])


@pytest.mark.parametrize("stop_at", [5, 8, None])
def test_it_ends_at_the_same_step_when_it_goes_on(tmp_path: Path, stop_at: int | None) -> None:
    recipe = asking(steps=10, validations=5, checkpoints=10, patience=2)
    whole, _ = trained(tmp_path / "whole", recipe)
    if stop_at:
        with pytest.raises(StopError):
            trained(tmp_path / "cut", recipe, stop_at=stop_at)
    else:  # cut off between its end and its result
        trained(tmp_path / "cut", recipe)
    resumed, _ = trained(tmp_path / "cut", recipe)
    assert (tmp_path / "cut" / FINAL).read_bytes() == (tmp_path / "whole" / FINAL).read_bytes()
    assert dataclasses.replace(resumed, **SPENT) == dataclasses.replace(whole, **SPENT)
    assert logged(tmp_path / "cut") == logged(tmp_path / "whole")
    ended = [each for each in series(tmp_path / "cut").marks if each.kind in ("stopped", "chosen")]
    assert [(each.kind, each.step) for each in ended] == [("chosen", 4), ("stopped", 8)]


@pytest.mark.parametrize("more", [{"select": "last"}, {"fine_tune": {"steps": 2, "lr": 0.1}}])
def test_patience_without_a_choice_of_the_best_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match='patience needs select = "best"'):
        Recipe.model_validate({"steps": 4, "select": "best", "patience": 1, **more})


@pytest.mark.parametrize(
    ("every", "wanted"),
    [(1, {"1", "2", "3", "3.33333"}), (2, {"2", "3.33333"}), (3, {"3"}), (None, set())],
)
def test_weights_after_every_so_many_epochs_stay(
    tmp_path: Path, every: int | None, wanted: set[str]
) -> None:
    """The training ends within its fourth epoch of three steps."""
    _, seen = trained(tmp_path, asking(steps=10, validations=5, keep_every_epochs=every))
    kept = {path.name: load_weights(path) for path in tmp_path.glob("epoch-*.safetensors")}
    assert set(kept) == {f"epoch-{epoch}.safetensors" for epoch in wanted}
    for epoch, step in (("2", 6), ("3.33333", 10)):
        if epoch in wanted:
            check_equal(kept[f"epoch-{epoch}.safetensors"], seen[step])


def test_vectors_stand_at_the_epochs_that_are_named(tmp_path: Path) -> None:
    torch.manual_seed(1)
    system = System(Trunk(), GhmClassification(bins=4), 3)
    head = system.head
    assert isinstance(head, GhmHead)
    recipe = asking(vector_epochs=(2,), schedules={}, select="last")
    trained(tmp_path, recipe, system=system, scheduled=())
    found = {each.name: each for each in series(tmp_path).vectors}
    assert {each.step for each in found.values()} == {6}
    density, weights = found["Train/gradient_density"], found["Train/gradient_weight"]
    assert density.values == tuple(head.density.tolist())
    assert density.edges == weights.edges == (0, 0.25, 0.5, 0.75, 1)
    filled = [share for share in density.values if share > 0]
    wanted = [1 / (share * len(filled)) if share > 0 else 0 for share in density.values]
    assert weights.values == pytest.approx(wanted)
    assert found["Train/batch_labels"].labels == ("c0", "c1", "c2")
    assert sum(found["Train/batch_labels"].values) == 2
    assert sum(found["Train/own_class_probability"].values) == 2


def test_the_length_of_a_gradient_that_is_clipped_is_told(tmp_path: Path) -> None:
    trained(tmp_path / "free", asking(clip_norm=None))
    assert "Train/grad_norm" not in series(tmp_path / "free")
    trained(tmp_path / "clipped", asking(clip_norm=0.001))
    lengths = series(tmp_path / "clipped")["Train/grad_norm"]["value"]
    assert len(lengths) == 6
    assert (lengths > 0.001).all()
