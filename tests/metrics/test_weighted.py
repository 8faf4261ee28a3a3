"""Weighted metrics equal those of physically repeated trials."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.metrics import weighted
from harness.metrics.dcf import OperatingPoint, min_dcf
from harness.metrics.eer import eer
from harness.metrics.errors import MetricError
from harness.metrics.weighted import weighted_eer_min_dcf

POINT = OperatingPoint(0.05)
TRIALS = st.lists(
    st.tuples(st.integers(-9, 9), st.booleans(), st.integers(0, 4)), min_size=2, max_size=40
).filter(lambda trials: {label for _, label, weight in trials if weight} == {True, False})


def split(
    scores: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.int64]
) -> tuple[float, float]:
    """EER and minDCF of trials repeated as often as they weigh."""
    repeated, labelled = np.repeat(scores, weights), np.repeat(labels, weights)
    sides = repeated[labelled], repeated[~labelled]
    return eer(*sides).value, min_dcf(*sides, POINT).value


@given(TRIALS)
def test_whole_weights_equal_repeated_trials(trials: list[tuple[int, bool, int]]) -> None:
    scores, labels, weights = (np.array(column) for column in zip(*trials, strict=True))
    eers, costs = weighted_eer_min_dcf(scores, labels, weights[np.newaxis], POINT)
    assert (eers[0], costs[0]) == pytest.approx(split(scores, labels, weights), abs=1e-12)


@given(TRIALS, st.floats(1e-3, 1e3))
def test_scaled_weights_change_nothing(trials: list[tuple[int, bool, int]], factor: float) -> None:
    scores, labels, weights = (np.array(column) for column in zip(*trials, strict=True))
    table = np.stack([weights * 1.0, weights * factor, np.where(labels, weights, weights * factor)])
    for values in weighted_eer_min_dcf(scores, labels, table, POINT):
        assert values == pytest.approx(np.full(3, values[0]), abs=1e-9)


@pytest.mark.parametrize("decimals", [16, 3, 1])
def test_ones_equal_the_plain_metrics(decimals: int) -> None:
    rng = np.random.default_rng(3)
    labels = rng.random(5000) < 0.1
    scores = np.round(rng.normal(0.12, 0.11, 5000) + 0.4 * labels, decimals)
    ones = np.ones((2, 5000))
    eers, costs = weighted_eer_min_dcf(scores, labels, ones, POINT)
    assert eers == pytest.approx(np.full(2, eer(scores[labels], scores[~labels]).value), abs=1e-12)
    wanted = min_dcf(scores[labels], scores[~labels], POINT).value
    assert costs == pytest.approx(np.full(2, wanted), abs=1e-12)


def test_many_rows_in_small_blocks_equal_one_row_each(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    labels = rng.random(300) < 0.3
    scores = np.round(rng.normal(0, 1, 300) + labels, 1)
    table = rng.integers(0, 4, (50, 300))
    whole = weighted_eer_min_dcf(scores, labels, table, POINT)
    monkeypatch.setattr(weighted, "BLOCK_BYTES", 16 * 300 * 7)
    blocks = weighted_eer_min_dcf(scores, labels, table, POINT)
    alone = [split(scores, labels, row) for row in table]
    assert np.array_equal(whole, blocks)
    assert np.stack(whole, axis=1) == pytest.approx(np.array(alone), abs=1e-12)


SCORES, LABELS = np.array([0.5, 0.1]), np.array([True, False])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1.0, -1.0]], "1 are negative"),
        ([[np.nan, np.inf]], "2 are negative, NaN or infinite"),
        ([1.0, 1.0], "shape"),
        ([[1.0]], "shape"),
        ([[1.0, 1.0], [0.0, 1.0]], "1 rows give every target trial weight 0, the first is row 1"),
        ([[1.0, 0.0]], "every nontarget trial weight 0"),
    ],
)
def test_refuses_unusable_weights(weights: list[list[float]], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        weighted_eer_min_dcf(SCORES, LABELS, np.array(weights), POINT)


def test_refuses_unusable_trials() -> None:
    ones = np.ones((1, 2))
    with pytest.raises(MetricError, match="want bool"):
        weighted_eer_min_dcf(SCORES, np.array([1, 0]), ones, POINT)
    with pytest.raises(MetricError, match="lengths differ"):
        weighted_eer_min_dcf(SCORES, np.array([True]), ones, POINT)
    with pytest.raises(MetricError, match="nontarget scores: there are none"):
        weighted_eer_min_dcf(SCORES, np.array([True, True]), ones, POINT)
    with pytest.raises(MetricError, match="1 of 2 are NaN"):
        weighted_eer_min_dcf(np.array([0.5, np.nan]), LABELS, ones, POINT)
