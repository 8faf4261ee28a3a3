"""Cllr, its least value and the calibration that gives it, against slow and obvious references."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from harness.metrics.cllr import cllr, min_cllr
from harness.metrics.validation import MetricError

Floats = NDArray[np.float64]

SIDE = st.lists(st.integers(-20, 20), min_size=1, max_size=30)
FEW = st.lists(st.integers(0, 6), min_size=1, max_size=6)
LLRS = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20)


def precise_cllr(targets: list[float], nontargets: list[float]) -> float:
    """The definition with so many digits that nothing overflows or cancels."""
    with localcontext(prec=60):
        miss = [(1 + (-Decimal(llr)).exp()).ln() for llr in targets]
        alarm = [(1 + Decimal(llr).exp()).ln() for llr in nontargets]
        both = sum(miss, Decimal()) / len(miss) + sum(alarm, Decimal()) / len(alarm)
        return float(both / (2 * Decimal(2).ln()))


def block_cost(targets: int, nontargets: int, totals: tuple[int, int]) -> float:
    """The least cost of one log likelihood ratio for all trials of a block, at log(a / b)."""
    a, b = targets / totals[0], nontargets / totals[1]
    return (a * math.log2(1 + b / a) if a else 0.0) + (b * math.log2(1 + a / b) if b else 0.0)


def brute_min_cllr(targets: list[int], nontargets: list[int]) -> float:
    """The least over all ways to part the distinct scores in blocks whose ratios rise: O(2^K)."""
    scores = sorted({*targets, *nontargets})
    totals = len(targets), len(nontargets)
    costs = []
    for size in range(len(scores)):
        for cuts in itertools.combinations(range(1, len(scores)), size):
            edges = [0, *cuts, len(scores)]
            parts = [set(scores[low:high]) for low, high in itertools.pairwise(edges)]
            blocks = [
                (sum(t in p for t in targets), sum(n in p for n in nontargets)) for p in parts
            ]
            if all(a * d <= c * b for (a, b), (c, d) in itertools.pairwise(blocks)):
                costs.append(sum(block_cost(a, b, totals) for a, b in blocks) / 2)
    return min(costs)


def drawn(seed: int, targets: int = 400, nontargets: int = 1600) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.52, 0.16, targets), rng.normal(0.32, 0.11, nontargets)


@settings(max_examples=50)
@given(LLRS, LLRS)
def test_agrees_with_sixty_digits(targets: list[float], nontargets: list[float]) -> None:
    wanted = precise_cllr(targets, nontargets)
    assert cllr(targets, nontargets) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize(
    ("targets", "nontargets", "value"),
    [
        ([0.0, 0.0], [0.0], 1.0),
        ([1e4], [-1e4], 0.0),
        ([-1e4], [-1e4], 5000 / math.log(2)),
        ([math.inf], [-math.inf], 0.0),
        ([-math.inf, 1.0], [0.0], math.inf),
        ([0.0], [math.inf], math.inf),
        ([math.log(3)], [-math.log(3)], math.log2(4 / 3)),
    ],
)
def test_known_values(targets: list[float], nontargets: list[float], value: float) -> None:
    assert cllr(targets, nontargets) == pytest.approx(value, rel=1e-14)


def test_float32_ratios_cost_as_they_are() -> None:
    targets, nontargets = (side.astype(np.float32) * 20 for side in drawn(0))
    assert cllr(targets, nontargets) == cllr(targets.astype(float), nontargets.astype(float))


@settings(max_examples=60)
@given(FEW, FEW)
def test_least_is_that_of_all_rising_maps(targets: list[int], nontargets: list[int]) -> None:
    wanted = brute_min_cllr(targets, nontargets)
    assert min_cllr(targets, nontargets) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("decimals", [16, 2, 1])
@pytest.mark.parametrize("seed", range(3))
def test_least_is_the_cost_of_scikit_learns_calibration(seed: int, decimals: int) -> None:
    targets, nontargets = (np.round(side, decimals) for side in drawn(seed))
    scores = np.r_[targets, nontargets]
    labels = np.r_[np.ones(len(targets)), np.zeros(len(nontargets))]
    posterior = IsotonicRegression().fit(scores, labels).predict(scores)
    with np.errstate(divide="ignore"):
        llrs = np.log(posterior) - np.log1p(-posterior) - math.log(400 / 1600)
    least = cllr(llrs[labels == 1], llrs[labels == 0])
    assert min_cllr(targets, nontargets) == pytest.approx(least, abs=1e-9)


@given(LLRS, LLRS)
def test_least_is_at_most_the_actual_and_one(targets: list[float], nontargets: list[float]) -> None:
    least = min_cllr(targets, nontargets)
    assert 0 <= least <= min(1.0, cllr(targets, nontargets)) + 1e-12


@pytest.mark.parametrize(
    ("targets", "nontargets", "value"),
    [
        (np.zeros(400), np.zeros(1600), 1.0),
        (np.zeros(7), np.zeros(3), 1.0),
        (np.ones(400), np.zeros(1600), 0.0),
        (np.zeros(400), np.ones(1600), 1.0),
        (np.ones(1), np.zeros(1), 0.0),
    ],
    ids=["all equal", "all equal, odd counts", "perfect", "inverted", "two trials"],
)
def test_degenerate_input(targets: Floats, nontargets: Floats, value: float) -> None:
    assert min_cllr(targets, nontargets) == pytest.approx(value, abs=1e-12)


def test_perfect_separation_gives_exactly_zero() -> None:
    assert str(min_cllr([2.0, 3.0], [1.0])) == "0.0"  # not -0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_refuses_unusable_scores(bad: float) -> None:
    with pytest.raises(MetricError, match=r"target scores: 1 of 2 .*position 1"):
        min_cllr([0.5, bad], [0.1])
    with pytest.raises(MetricError, match="nontarget scores: there are none"):
        min_cllr([0.5], [])


def test_cost_refuses_nan_and_empty_sides() -> None:
    with pytest.raises(
        MetricError, match=r"nontarget llrs: 2 of 3 are NaN, the first at position 0"
    ):
        cllr([1.0], [math.nan, math.inf, math.nan])
    with pytest.raises(MetricError, match="target llrs: there are none"):
        cllr([], [1.0])
    with pytest.raises(MetricError, match="ravel"):
        cllr([1.0], [[1.0]])


@given(LLRS, LLRS, st.randoms(use_true_random=False))
def test_order_is_of_no_matter(targets: list[float], nontargets: list[float], random) -> None:  # type: ignore[no-untyped-def]
    before = cllr(targets, nontargets), min_cllr(targets, nontargets)
    random.shuffle(targets)
    random.shuffle(nontargets)
    assert (cllr(targets, nontargets), min_cllr(targets, nontargets)) == before


@given(LLRS, LLRS)
def test_swapping_negated_sides_keeps_both(targets: list[float], nontargets: list[float]) -> None:
    swapped = -np.array(nontargets), -np.array(targets)
    assert cllr(*swapped) == pytest.approx(cllr(targets, nontargets), rel=1e-12)
    assert min_cllr(*swapped) == pytest.approx(min_cllr(targets, nontargets), abs=1e-12)


@given(SIDE, SIDE, st.integers(2, 4), st.integers(2, 4))
def test_repeating_sides_and_rising_maps(
    targets: list[int], nontargets: list[int], first: int, second: int
) -> None:
    more = np.array(targets * first), np.array(nontargets * second)
    least = min_cllr(targets, nontargets)
    assert cllr(*more) == pytest.approx(cllr(targets, nontargets), rel=1e-12)
    assert min_cllr(*more) == pytest.approx(least, abs=1e-12)
    assert min_cllr(*(np.exp(side / 9) - 5 for side in more)) == pytest.approx(least, abs=1e-12)


@given(LLRS, LLRS)
def test_wrong_scale_costs_and_the_least_does_not_move(
    targets: list[float], nontargets: list[float]
) -> None:
    half = [np.array(side) * 0.5 for side in (targets, nontargets)]
    zero = [np.zeros(len(side)) for side in (targets, nontargets)]
    # The cost is convex in the ratios, so halfway to none it is at most the mean of both.
    assert cllr(*half) <= (cllr(targets, nontargets) + cllr(*zero)) / 2 + 1e-9


@pytest.mark.parametrize("metric", [cllr, min_cllr])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_memory_is_under_four_times_the_scores(metric, dtype: type, share: float) -> None:  # type: ignore[no-untyped-def]
    scores = np.random.default_rng(0).normal(size=200_000).astype(dtype)
    targets, nontargets = np.split(scores, [int(share * len(scores))])
    tracemalloc.start()
    metric(targets, nontargets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 4 * scores.nbytes
