"""Weighted metrics equal those of physically repeated trials."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.metrics import weighted, window
from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials, weightless
from harness.metrics.validation import MetricError
from harness.metrics.weighted import eer_with_weights, min_dcf_with_weights

POINT = OperatingPoint(0.05)
SPEAKERS = 4
TRIAL = st.tuples(st.integers(-9, 9), st.integers(0, SPEAKERS - 1), st.integers(0, SPEAKERS - 1))
WEIGHTS = st.lists(st.integers(0, 4), min_size=SPEAKERS, max_size=SPEAKERS)


def trials_of(rows: list[tuple[int, int, int]]) -> ScoredTrials:
    """Trials of the rows, and two of every speaker so that all occur on both sides."""
    every = [(place - 2, place, place) for place in range(SPEAKERS)]
    every += [(-place, place, (place + 1) % SPEAKERS) for place in range(SPEAKERS)]
    scores, enrol, test = (np.array(column) for column in zip(*rows, *every, strict=True))
    return ScoredTrials(scores.astype(float), enrol == test, enrol, test)


def weighted_eer_min_dcf(
    trials: ScoredTrials, weights: NDArray[np.floating], point: OperatingPoint
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return eer_with_weights(trials, weights), min_dcf_with_weights(trials, weights, point)


def repeated(trials: ScoredTrials, weights: NDArray[np.int64]) -> tuple[float, float]:
    """EER and minDCF of trials repeated as often as they weigh."""
    enrol, test = weights[trials.enrol_speaker], weights[trials.test_speaker]
    times = np.where(trials.is_target, enrol, enrol * test)
    scores, labels = np.repeat(trials.scores, times), np.repeat(trials.is_target, times)
    sides = scores[labels], scores[~labels]
    return eer(*sides).value, min_dcf(*sides, POINT).value


def weighs(trials: ScoredTrials, weights: NDArray[np.int64]) -> bool:
    return not any(rows.size for rows in weightless(trials.groups, weights[None]))


@given(st.lists(TRIAL, max_size=40), WEIGHTS)
def test_whole_weights_equal_repeated_trials(
    rows: list[tuple[int, int, int]], weights: list[int]
) -> None:
    trials, vector = trials_of(rows), np.array(weights)
    assume(weighs(trials, vector))
    eers, costs = weighted_eer_min_dcf(trials, vector[None], POINT)
    assert (eers[0], costs[0]) == pytest.approx(repeated(trials, vector), abs=1e-12)


@settings(deadline=None)
@given(st.lists(TRIAL, max_size=60), st.lists(WEIGHTS, min_size=1, max_size=6))
def test_a_wrong_window_changes_no_result(
    rows: list[tuple[int, int, int]], table: list[list[int]]
) -> None:
    trials = trials_of(rows)
    weights = np.array([row for row in table if weighs(trials, np.array(row))])
    assume(len(weights))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "SAMPLE", 3)
        patch.setattr(window, "_noise", lambda rate, count: 0.0)
        patch.setattr(weighted, "REACH", 0.0)
        got = np.stack(weighted_eer_min_dcf(trials, weights, POINT), axis=1)
    wanted = [repeated(trials, row) for row in weights]
    assert got == pytest.approx(np.array(wanted), abs=1e-12)


@given(st.lists(TRIAL, max_size=40), st.floats(1e-3, 1e3))
def test_scaled_weights_change_nothing(rows: list[tuple[int, int, int]], factor: float) -> None:
    trials = trials_of(rows)
    table = np.stack([np.arange(1, SPEAKERS + 1) * 1.0, np.arange(1, SPEAKERS + 1) * factor])
    for values in weighted_eer_min_dcf(trials, table, POINT):
        assert values == pytest.approx(np.full(2, values[0]), abs=1e-9)


def synthetic(seed: int, speakers: int, count: int, decimals: int = 16) -> ScoredTrials:
    rng = np.random.default_rng(seed)
    enrol = rng.integers(0, speakers, count)
    test = np.where(rng.random(count) < 0.1, enrol, rng.integers(0, speakers, count))
    scores = rng.normal(0.12, 0.11, count) + 0.3 * (enrol == test)
    return ScoredTrials(np.round(scores, decimals).astype(np.float32), enrol == test, enrol, test)


@pytest.mark.parametrize("decimals", [16, 3, 1])
def test_ones_equal_the_plain_metrics(decimals: int) -> None:
    trials = synthetic(3, 20, 5000, decimals)
    eers, costs = weighted_eer_min_dcf(trials, np.ones((2, 20)), POINT)
    sides = trials.scores[trials.is_target], trials.scores[~trials.is_target]
    assert eers == pytest.approx(np.full(2, eer(*sides).value), abs=1e-12)
    assert costs == pytest.approx(np.full(2, min_dcf(*sides, POINT).value), abs=1e-12)


def test_long_lists_in_small_blocks_equal_repeated_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = synthetic(4, 30, 120_000)
    table = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30), size=12)
    monkeypatch.setattr(weighted, "BLOCK_BYTES", 2**20)
    got = np.stack(weighted_eer_min_dcf(trials, table, POINT), axis=1)
    assert got == pytest.approx(np.array([repeated(trials, row) for row in table]), abs=1e-12)


def test_pairs_weigh_the_same_whichever_side_was_enrolled() -> None:
    trials = synthetic(5, 12, 800)
    swapped = ScoredTrials(
        trials.scores, trials.is_target, trials.test_speaker, trials.enrol_speaker
    )
    table = np.random.default_rng(0).integers(0, 3, (5, 12)) + 1
    for one, other in zip(
        weighted_eer_min_dcf(trials, table, POINT),
        weighted_eer_min_dcf(swapped, table, POINT),
        strict=True,
    ):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1.0, -1.0, 1.0, 1.0]], "1 are negative"),
        ([[np.nan, np.inf, 1.0, 1.0]], "2 are negative, NaN or infinite"),
        ([1.0, 1.0, 1.0, 1.0], "shape"),
        ([[1.0]], "shape"),
        ([[1.0] * 4, [0.0] * 4], "1 rows give every target trial weight 0, the first is row 1"),
        ([[1.0, 0.0, 0.0, 0.0]], "every nontarget trial weight 0"),
    ],
)
def test_refuses_unusable_weights(weights: list[list[float]], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        weighted_eer_min_dcf(trials_of([]), np.array(weights), POINT)


def test_refuses_unusable_trials() -> None:
    codes = np.array([0, 0])
    with pytest.raises(MetricError, match="want bool"):
        ScoredTrials(np.array([0.5, 0.1]), np.array([1, 0]), codes, codes)  # type: ignore[arg-type]
    only_targets = ScoredTrials(np.array([0.5, 0.1]), np.array([True, True]), codes, codes)
    with pytest.raises(MetricError, match="nontarget scores: there are none"):
        weighted_eer_min_dcf(only_targets, np.ones((1, 1)), POINT)
