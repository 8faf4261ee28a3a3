"""A training that goes on from a finished one: as if it had never ended, and from any cut."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from harness.config.recipe_tables import Optimizer
from harness.config.recipes import Recipe
from harness.errors import JobFailed
from harness.series.reading import read_series
from harness.train.checkpoint import load_state, load_weights
from harness.train.training_plan import fine_tuning_seed
from harness.train.training_progress import FINAL, RESUME, TrainingResult
from tests.train.small_training import (
    RECIPE,
    StopError,
    check_equal,
    logged,
    small_batches,
    trained,
)

STEADY = RECIPE.model_copy(update={"schedules": {}, "select": "last", "checkpoints": 12})
PARENT, WHOLE = STEADY, STEADY.model_copy(update={"steps": 12, "validations": 6})
SPENT: dict[str, Any] = {"seconds": 0, "data_wait": None, "cpu_wait": None}


def extended(folder: Path, recipe: Recipe = STEADY, **more: Any) -> TrainingResult:
    """Train six steps more than in `parent`, beside it."""
    parent = folder.with_name("parent")
    if not parent.exists():
        trained(parent, PARENT)
    goes_on: dict[str, Any] = {"before": 6, "before_epochs": 2.0, "drawn": 6, "parent": parent}
    return trained(folder, recipe, **goes_on, **more)[0]


def test_two_halves_are_the_whole(tmp_path: Path) -> None:
    """The optimiser's moments, the order of items and every draw go on: bit by bit."""
    whole, _ = trained(tmp_path / "whole", WHOLE)
    found = extended(tmp_path / "more")
    assert (tmp_path / "more" / FINAL).read_bytes() == (tmp_path / "whole" / FINAL).read_bytes()
    assert dataclasses.replace(found, **SPENT) == dataclasses.replace(whole, **SPENT)
    assert logged(tmp_path / "more") == logged(tmp_path / "whole")[6:]
    (series,) = read_series(tmp_path / "more")
    assert [(each.kind, each.step) for each in series.marks] == [("chosen", 12)]
    assert series.facts == {"last_step": "12", "parent": "parent, after step 6"}


@pytest.mark.parametrize("stop_at", [7, 8, 11])
def test_one_that_is_cut_off_gives_what_a_quiet_one_gives(tmp_path: Path, stop_at: int) -> None:
    recipe = STEADY.model_copy(update={"checkpoints": 3, "select": "best"})
    quiet = extended(tmp_path / "quiet", recipe)
    with pytest.raises(StopError):
        extended(tmp_path / "cut", recipe, stop_at=stop_at)
    found = extended(tmp_path / "cut", recipe)
    assert (tmp_path / "cut" / FINAL).read_bytes() == (tmp_path / "quiet" / FINAL).read_bytes()
    assert dataclasses.replace(found, **SPENT) == dataclasses.replace(quiet, **SPENT)
    assert logged(tmp_path / "cut") == logged(tmp_path / "quiet")
    marks = [(each.kind, each.step) for each in read_series(tmp_path / "cut")[0].marks]
    resumed = stop_at - 1 - (stop_at - 1) % 2
    assert marks == [("chosen", 8), *([("resume", resumed)] if resumed > 6 else [])]


def test_it_chooses_among_its_own_weights(tmp_path: Path) -> None:
    """The parent's fourth step was better than any that follow."""
    best = STEADY.model_copy(update={"select": "best"})
    trained(tmp_path / "parent", best)
    assert extended(tmp_path / "more", best).selected_step == 8
    assert extended(tmp_path / "patient", best.model_copy(update={"patience": 1})).steps == 10


def test_the_continuations_recipe_rules_over_the_optimisers_old_settings(tmp_path: Path) -> None:
    decayed = STEADY.model_copy(update={"optimizer": Optimizer(lr=0.05, weight_decay=0.5)})
    extended(tmp_path / "more", decayed)
    state = load_state(tmp_path / "more" / RESUME)
    assert state["optimizer"]["param_groups"][0]["weight_decay"] == 0.5
    assert state["optimizer"]["state"][0]["step"] == 12
    (series,) = read_series(tmp_path / "more")
    assert series["Train/lr"]["value"].tolist() == [0.05] * 6


def test_without_the_parents_last_state_it_says_what_to_do(tmp_path: Path) -> None:
    extended(tmp_path / "more")
    with pytest.raises(JobFailed, match="the state after step 6, not after 8; train it again"):
        trained(tmp_path / "other", before=8, drawn=8, parent=tmp_path / "parent")
    path = tmp_path / "parent" / RESUME
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(JobFailed, match=f"{RESUME}: damaged"):
        extended(tmp_path / "damaged")
    path.unlink()
    with pytest.raises(JobFailed, match="`harness runs gc` deletes it"):
        extended(tmp_path / "gone")
    # One that has begun needs its parent no more.
    assert extended(tmp_path / "more").steps == 12


def test_a_fine_tuning_is_continued_by_its_own_draws(tmp_path: Path) -> None:
    short = {"lr": 0.02, "batch": 2, "crop_seconds": 0.04, "select": "last", "validations": 1}
    steady = {"shape": "constant", "warmup": 0}
    tune = [{**short, "learning_rate": steady, "steps": steps} for steps in (4, 6)]
    both = ({**STEADY.model_dump(), "fine_tune": each} for each in tune)
    recipes = [Recipe.model_validate(each) for each in both]
    trained(tmp_path / "parent", recipes[0])
    trained(tmp_path / "whole", recipes[1])
    second = recipes[0].phases[1].model_copy(update={"steps": 2})
    seed = fine_tuning_seed(3)
    batches = dataclasses.replace(small_batches(second), seed=seed)
    trained(
        tmp_path / "more", second, batches=batches, seed=seed,
        before=10, drawn=4, parent=tmp_path / "parent",
    )  # fmt: skip
    check_equal(load_weights(tmp_path / "more" / FINAL), load_weights(tmp_path / "whole" / FINAL))
