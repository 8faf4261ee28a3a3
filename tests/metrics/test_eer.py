"""eer() against scikit-learn, brute force, the degenerate table and the laws it must keep."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from harness.metrics.detection import eer, error_rates
from harness.metrics.validation import MetricError

Floats = NDArray[np.float64]

SIDE = st.lists(st.integers(-20, 20), min_size=1, max_size=30)


def exact_eer(targets: list[float], nontargets: list[float]) -> Fraction:
    """The definition in fractions, every threshold tried: O(N^2)."""
    points = []
    for threshold in [*sorted({*targets, *nontargets}), math.inf]:
        miss = Fraction(sum(score < threshold for score in targets), len(targets))
        false_alarm = Fraction(sum(score >= threshold for score in nontargets), len(nontargets))
        points.append((miss, miss - false_alarm))
    upper = next(index for index, (_, gap) in enumerate(points) if gap >= 0)
    (low, gap_low), (high, gap_high) = points[upper - 1], points[upper]
    return low + (high - low) * -gap_low / (gap_high - gap_low)


def sklearn_eer(targets: Floats, nontargets: Floats) -> float:
    """Where the polygon of scikit-learn's ROC crosses the antidiagonal."""
    labels = np.r_[np.ones(len(targets)), np.zeros(len(nontargets))]
    scores = np.r_[targets, nontargets]
    false_alarms, hits, _ = roc_curve(labels, scores, drop_intermediate=False)
    gaps = false_alarms - (1 - hits)
    return float(np.interp(0.0, gaps, false_alarms))


def drawn(seed: int, targets: int = 400, nontargets: int = 1600) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.52, 0.16, targets), rng.normal(0.12, 0.11, nontargets)


@pytest.mark.parametrize("decimals", [16, 5, 2, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed: int, decimals: int) -> None:
    targets, nontargets = (np.round(side, decimals) for side in drawn(seed))
    assert eer(targets, nontargets).value == pytest.approx(
        sklearn_eer(targets, nontargets), abs=1e-9
    )


@given(SIDE, SIDE)
def test_is_the_exact_fraction(targets: list[float], nontargets: list[float]) -> None:
    assert eer(targets, nontargets).value == float(exact_eer(targets, nontargets))


DEGENERATE = {
    "all equal": (np.zeros(400), np.zeros(1600), 0.5),
    "perfect": (np.ones(400), np.zeros(1600), 0.0),
    "inverted": (np.zeros(400), np.ones(1600), 1.0),
    "one trial a side, perfect": (np.ones(1), np.zeros(1), 0.0),
    "one trial a side, inverted": (np.zeros(1), np.ones(1), 1.0),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_input(case: str) -> None:
    targets, nontargets, value = DEGENERATE[case]
    result = eer(targets, nontargets)
    assert result.value == value
    assert math.isfinite(result.threshold)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_refuses_scores_that_are_no_numbers(bad: float) -> None:
    with pytest.raises(MetricError, match=r"target scores: 1 of 2 are NaN or infinite.*position 1"):
        eer([0.5, bad], [0.1])
    with pytest.raises(MetricError, match="nontarget scores: 2 of 3"):
        eer([0.5], [bad, 0.1, bad])


def test_refuses_an_empty_side_and_a_matrix() -> None:
    with pytest.raises(MetricError, match="nontarget scores: there are none"):
        eer([0.5], [])
    with pytest.raises(MetricError, match="target scores: there are none"):
        eer([], [0.5])
    with pytest.raises(MetricError, match="ravel"):
        eer(np.ones((2, 2)), [0.5])


@given(SIDE, SIDE, st.randoms(use_true_random=False))
def test_order_is_of_no_matter(targets: list[float], nontargets: list[float], random) -> None:  # type: ignore[no-untyped-def]
    before = eer(targets, nontargets)
    random.shuffle(targets)
    random.shuffle(nontargets)
    assert eer(targets, nontargets) == before


@given(SIDE, SIDE, st.integers(-5, 5), st.integers(-100, 100))
def test_rising_transforms_keep_it(
    targets: list[int], nontargets: list[int], power: int, shift: int
) -> None:
    before = eer(targets, nontargets)
    scaled = [np.array(side) * 2.0**power + shift for side in (targets, nontargets)]
    after = eer(*scaled)
    assert after.value == before.value
    assert after.threshold == before.threshold * 2.0**power + shift


@given(SIDE, SIDE)
def test_swapping_negated_sides_keeps_it(targets: list[int], nontargets: list[int]) -> None:
    swapped = eer(-np.array(nontargets), -np.array(targets))
    assert swapped.value == eer(targets, nontargets).value


@given(SIDE, SIDE, st.integers(2, 4), st.integers(2, 4))
def test_repeating_a_side_keeps_it(
    targets: list[int], nontargets: list[int], first: int, second: int
) -> None:
    assert eer(targets * first, nontargets * second) == eer(targets, nontargets)


@given(SIDE, SIDE)
def test_threshold_is_an_observed_score_near_the_value(
    targets: list[int], nontargets: list[int]
) -> None:
    result = eer(targets, nontargets)
    rates = error_rates(targets, nontargets, result.threshold)
    gaps = [
        abs(other.miss - other.false_alarm)
        for score in {*targets, *nontargets}
        for other in [error_rates(targets, nontargets, score)]
    ]
    assert result.threshold in {*targets, *nontargets}
    assert abs(rates.miss - rates.false_alarm) == pytest.approx(min(gaps), abs=1e-12)


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_float32_scores_are_compared_as_they_are(seed: int) -> None:
    targets, nontargets = (side.astype(np.float32) for side in drawn(seed, 40, 60))
    assert eer(targets, nontargets) == eer(targets.astype(float), nontargets.astype(float))
    assert eer(targets, nontargets.astype(float)) == eer(targets.astype(float), nontargets)
