"""Facts of a training about its loss, from the points of its series."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from harness.health.training_end import read_training_end
from harness.series.loss_evidence import loss_evidence
from harness.series.series_file import FILE, SeriesWriter

LOSSES = [3.0, 2.0, 1.5, 1.2, 1.1, 1.0, 1.2, 0.8, 1.0, 0.9, 1.1, 1.0]


def points(values: list[float]) -> list[tuple[int, float]]:
    return [(10 * place, value) for place, value in enumerate(values, 1)]


@pytest.mark.parametrize("accuracy", ["accuracy", "pair_accuracy"])
def test_spreads_are_those_of_the_last_third_and_evenness_is_that_of_all(accuracy: str) -> None:
    found = loss_evidence(
        {
            "Train/weighted_evenness": points([0.4, 0.6]),
            "Test/raw_loss": points(LOSSES),
            f"Test/{accuracy}": points([1 / each for each in LOSSES]),
            "Test/hard_accuracy": [(10, 0.1), (120, 0.7)],
        }
    )
    last = LOSSES[8:]
    assert found["balance"] == pytest.approx(0.5)
    assert found["loss_spread"] == pytest.approx(statistics.stdev(last) / statistics.fmean(last))
    assert found["accuracy_spread"] == pytest.approx(statistics.stdev([1 / each for each in last]))
    assert found["hard_accuracy"] == 0.7


def test_few_validations_have_no_spread_and_no_evidence_no_facts() -> None:
    few = {"Train/weighted_evenness": [(30, 0.4)], "Test/raw_loss": points([2.0, 1.0, 0.9])}
    assert loss_evidence(few) == {"balance": 0.4}
    assert loss_evidence({"Test/raw_loss": points(LOSSES)}) == {}


def test_they_are_read_with_the_end_of_a_training(tmp_path: Path) -> None:
    writer = SeriesWriter(tmp_path, {}, 0, float)
    writer.add(1, 0.1, {"Train/Loss": 1.0})
    writer.add(1, 0.2, {"Train/weighted_evenness": 0.3, "TrainEval/hard_weight": 2.0})
    writer.add_vector(1, "Train/gradient_norms", [1.0], [0.0, 1.0])
    writer.flush()
    found = read_training_end(tmp_path / FILE).evidence
    assert found == {"balance": 0.3, "hard_weight": 2.0}
