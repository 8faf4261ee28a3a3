"""Detection costs against scikit-learn, brute force, the degenerate table and their laws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from harness.metrics.detection import act_dcf, error_rates, min_dcf
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.validation import MetricError

Floats = NDArray[np.float64]

SIDE = st.lists(st.integers(-20, 20), min_size=1, max_size=30)
POINTS = st.builds(
    OperatingPoint,
    p_target=st.floats(0.001, 0.999),
    c_miss=st.floats(0.1, 10),
    c_fa=st.floats(0.1, 10),
)
USUAL = OperatingPoint()


def brute_cost(targets: list[float], nontargets: list[float], point: OperatingPoint) -> float:
    """The least cost over every score, every midpoint and both ends: O(N^2)."""
    scores = sorted({*targets, *nontargets})
    middles = [(low + high) / 2 for low, high in itertools.pairwise(scores)]
    costs = []
    for threshold in [-math.inf, *scores, *middles, math.inf]:
        miss = sum(score < threshold for score in targets) / len(targets)
        false_alarm = sum(score >= threshold for score in nontargets) / len(nontargets)
        costs.append(
            point.c_miss * point.p_target * miss + point.c_fa * (1 - point.p_target) * false_alarm
        )
    return min(costs) / min(point.c_miss * point.p_target, point.c_fa * (1 - point.p_target))


@pytest.mark.parametrize("decimals", [16, 5, 1])
@pytest.mark.parametrize("p_target", [0.01, 0.05, 0.5, 0.9])
def test_agrees_with_scikit_learn(p_target: float, decimals: int) -> None:
    rng = np.random.default_rng(7)
    targets = np.round(rng.normal(0.52, 0.16, 400), decimals)
    nontargets = np.round(rng.normal(0.12, 0.11, 1600), decimals)
    labels = np.r_[np.ones(400), np.zeros(1600)]
    false_alarms, hits, _ = roc_curve(labels, np.r_[targets, nontargets], drop_intermediate=False)
    costs = p_target * (1 - hits) + (1 - p_target) * false_alarms
    wanted = costs.min() / min(p_target, 1 - p_target)
    got = min_dcf(targets, nontargets, OperatingPoint(p_target)).value
    assert got == pytest.approx(wanted, abs=1e-9)


@given(SIDE, SIDE, POINTS)
def test_agrees_with_brute_force(
    targets: list[float], nontargets: list[float], point: OperatingPoint
) -> None:
    got = min_dcf(targets, nontargets, point).value
    assert got == pytest.approx(brute_cost(targets, nontargets, point), abs=1e-9)
    assert 0 <= got <= 1


@given(SIDE, SIDE, POINTS)
def test_threshold_gives_the_value(
    targets: list[int], nontargets: list[int], point: OperatingPoint
) -> None:
    least = min_dcf(targets, nontargets, point)
    assert act_dcf(targets, nontargets, point, least.threshold) == pytest.approx(
        least.value, abs=1e-12
    )


@pytest.mark.parametrize(
    ("targets", "nontargets", "value", "threshold"),
    [
        (np.zeros(400), np.zeros(1600), 1.0, math.inf),
        (np.ones(400), np.zeros(1600), 0.0, 1.0),
        (np.zeros(400), np.ones(1600), 1.0, math.inf),
    ],
    ids=["all equal", "perfect", "inverted"],
)
def test_degenerate_input(
    targets: Floats, nontargets: Floats, value: float, threshold: float
) -> None:
    least = min_dcf(targets, nontargets, USUAL)
    assert (least.value, least.threshold) == (value, threshold)


def test_accepting_all_is_a_candidate() -> None:
    least = min_dcf(np.zeros(400), np.zeros(1600), OperatingPoint(0.99))
    assert (least.value, least.threshold) == (1.0, 0.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_refuses_unusable_scores(bad: float) -> None:
    with pytest.raises(MetricError, match="nontarget scores: 1 of 2"):
        min_dcf([0.5], [bad, 0.1], USUAL)
    with pytest.raises(MetricError, match="target scores: there are none"):
        min_dcf([], [0.1], USUAL)
    with pytest.raises(MetricError, match="nontarget scores: 1 of 2"):
        act_dcf([0.5], [bad, 0.1], USUAL, 0.0)
    with pytest.raises(MetricError, match="target scores: there are none"):
        act_dcf([], [0.1], USUAL, 0.0)


def test_refuses_a_threshold_that_is_no_number() -> None:
    with pytest.raises(MetricError, match="threshold is NaN"):
        error_rates([0.5], [0.1], math.nan)


@pytest.mark.parametrize("p_target", [0.0, 1.0, -0.1, math.nan])
def test_refuses_an_impossible_prior(p_target: float) -> None:
    with pytest.raises(MetricError, match="p_target"):
        OperatingPoint(p_target)


@pytest.mark.parametrize("cost", [0.0, -1.0, math.inf, math.nan])
def test_refuses_an_impossible_cost(cost: float) -> None:
    with pytest.raises(MetricError, match="c_miss"):
        OperatingPoint(c_miss=cost)
    with pytest.raises(MetricError, match="c_fa"):
        OperatingPoint(c_fa=cost)


@given(SIDE, SIDE, POINTS, st.randoms(use_true_random=False))
def test_order_is_of_no_matter(  # type: ignore[no-untyped-def]
    targets: list[int], nontargets: list[int], point: OperatingPoint, random
) -> None:
    before = min_dcf(targets, nontargets, point)
    random.shuffle(targets)
    random.shuffle(nontargets)
    assert min_dcf(targets, nontargets, point) == before


@given(SIDE, SIDE, POINTS, st.integers(-5, 5), st.integers(-100, 100))
def test_rising_transforms_keep_it(
    targets: list[int], nontargets: list[int], point: OperatingPoint, power: int, shift: int
) -> None:
    first, second = (np.array(side) * 2.0**power + shift for side in (targets, nontargets))
    assert min_dcf(first, second, point).value == min_dcf(targets, nontargets, point).value


@given(SIDE, SIDE, POINTS)
def test_swapping_negated_sides_with_the_prior_keeps_it(
    targets: list[int], nontargets: list[int], point: OperatingPoint
) -> None:
    mirrored = OperatingPoint(1 - point.p_target, c_miss=point.c_fa, c_fa=point.c_miss)
    swapped = min_dcf(-np.array(nontargets), -np.array(targets), mirrored)
    assert swapped.value == pytest.approx(min_dcf(targets, nontargets, point).value, abs=1e-9)


@given(SIDE, SIDE, POINTS, st.integers(2, 4))
def test_repeating_a_side_keeps_it(
    targets: list[int], nontargets: list[int], point: OperatingPoint, times: int
) -> None:
    repeated = min_dcf(targets * times, nontargets, point)
    assert repeated.value == pytest.approx(min_dcf(targets, nontargets, point).value, abs=1e-12)


def test_float32_scores_meet_a_float64_threshold_unrounded() -> None:
    score = np.float32(0.1)  # a little above 0.1
    assert error_rates(np.array([score]), np.array([score]), 0.1).miss == 0
    above = float(score) + 1e-12
    assert error_rates(np.array([score]), np.array([score]), above).miss == 1


def test_actual_cost_of_no_decision_and_of_a_bad_one() -> None:
    assert act_dcf([1.0], [0.0], USUAL, math.inf) == 1.0
    assert act_dcf([1.0], [0.0], USUAL, -math.inf) == pytest.approx(99.0)


def test_bayes_threshold_is_the_log_odds_of_a_nontarget() -> None:
    assert OperatingPoint(0.01).bayes_threshold == pytest.approx(math.log(99))
    assert OperatingPoint(0.5, c_miss=10).bayes_threshold == pytest.approx(-math.log(10))
