"""Gradients of a training are looked at as it learns and in evaluation mode, and change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax, Softmax
from harness.adapter import Batch, LossAdapter
from harness.config.recipes import Recipe
from harness.series.reading import read_series
from harness.series.series import Series
from harness.train.gradient_evidence import STATISTICS, GradientLog, HeadWatch
from harness.train.system import System
from tests.train.small_training import RECIPE, Trunk, check_equal, trained

RUN = RECIPE.model_copy(update={"schedules": {}, "select": "last"})
GHM = GhmClassification(bins=4, momentum=0.5)


def run(folder: Path, loss: LossAdapter, recipe: Recipe) -> dict[int, dict[str, torch.Tensor]]:
    torch.manual_seed(1)
    _, seen = trained(folder, recipe, system=System(Trunk(), loss, 3), scheduled=())
    return seen


def series(folder: Path) -> Series:
    (found,) = read_series(folder)
    return found


def watching(*epochs: int) -> Recipe:
    return RUN.model_copy(update={"vector_epochs": epochs})


def test_looking_changes_no_weight(tmp_path: Path) -> None:
    blind = run(tmp_path / "blind", GHM, RUN)
    for step, weights in run(tmp_path / "watched", GHM, watching(1, 2)).items():
        check_equal(weights, blind[step])


def test_an_epoch_is_seen_as_it_is_learnt_from(tmp_path: Path) -> None:
    run(tmp_path, Softmax(), watching(2))
    found = series(tmp_path)
    vectors = {each.name: each for each in found.vectors if each.step == 6}
    assert sum(vectors["Train/gradient_norms"].values) == 6  # three steps of two
    assert sum(vectors["Train/weighted_gradients"].values) == pytest.approx(1)
    assert vectors["Train/norm_statistics"].labels == STATISTICS
    assert found["Train/loss_ratio"]["value"].item() == pytest.approx(1)
    losses = found["Train/Loss"]["value"].to_numpy()[3:]
    for name in ("raw_loss", "weighted_loss"):
        assert found[f"Train/{name}"]["value"].item() == pytest.approx(losses.mean(), rel=1e-5)
    assert {round(each, 9) for each in vectors["Train/norm_weights"].values} <= {0, 1}
    plain, weighted = (
        found[f"Train/{name}_evenness"]["value"] for name in ("gradient", "weighted")
    )
    assert weighted.item() == pytest.approx(plain.item())


def test_the_weights_are_those_that_the_step_had() -> None:
    torch.manual_seed(0)
    head = GHM.build(5, 3).train()
    log = HeadWatch(head)
    means = []
    for _ in range(3):
        rows, labels = torch.randn(8, 5), torch.randint(3, (8,))
        with log:
            output = head(rows, Batch(labels))
        means.append(output.statistics["mean_weight"])
    found = log.evidence().vectors["weight_statistics"]
    assert dict(zip(found.labels, found.values, strict=True))["mean"] == pytest.approx(
        np.mean(means), rel=1e-5
    )


def test_known_items_are_told_apart() -> None:
    torch.manual_seed(0)
    head, log = Softmax().build(5, 3).eval(), GradientLog()
    log.add(head, torch.randn(8, 5), Batch(torch.randint(3, (8,))))
    hard = np.arange(8) < 3
    found = log.evidence(hard=hard, wrong=np.zeros(8, bool)).scalars
    assert found["hard_weight"] == pytest.approx(1)
    assert "wrong_label_weight" not in found  # none is wrong
    assert 0 <= found["hard_accuracy"] <= 1


def test_a_loss_of_angles_has_no_evidence(tmp_path: Path) -> None:
    run(tmp_path, AamSoftmax(), watching(1))
    assert not [each for each in series(tmp_path).vectors if "norm_" in each.name]


def test_histograms_are_in_tensorboard_too(tmp_path: Path) -> None:
    run(tmp_path, GHM, watching(1))
    (events,) = tmp_path.rglob("events.out.*")
    held = EventAccumulator(str(events), size_guidance={"histograms": 0})
    held.Reload()
    (event,) = held.Histograms("Train/gradient_norms")
    assert event.step == 3
    assert event.histogram_value.num == 6
    assert sum(event.histogram_value.bucket) == 6
