"""The ROC convex hull against Qhull, an obvious definition and the laws it must keep."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from harness.metrics.cllr import eer_hull, hull
from harness.metrics.detection import eer
from harness.metrics.roc import PIECE, Roc, roc
from harness.metrics.validation import MetricError

Floats = NDArray[np.float64]
Point = tuple[Fraction, Fraction]

SIDE = st.lists(st.integers(-20, 20), min_size=1, max_size=30)


def rates(targets: list[int], nontargets: list[int]) -> list[Point]:
    """(False-alarm rate, miss rate) at every threshold, in fractions: O(N^2)."""
    return [
        (
            Fraction(sum(score >= limit for score in nontargets), len(nontargets)),
            Fraction(sum(score < limit for score in targets), len(targets)),
        )
        for limit in [*sorted({*targets, *nontargets}), math.inf]
    ]


def exact_height(points: list[Point], at: Fraction) -> Fraction:
    """The least miss rate of any mixture of two points with the false-alarm rate `at`: O(N^2)."""
    heights = [miss for alarm, miss in points if alarm == at]
    for left, low in points:
        for right, high in points:
            if left < at < right:
                heights.append(low + (high - low) * (at - left) / (right - left))
    return min(heights)


def exact_eer(points: list[Point]) -> Fraction:
    """Where the lowest of all lines between two points meets miss = false alarm: O(N^2)."""
    gaps = [miss - alarm for alarm, miss in points]
    meetings = [miss for (_, miss), gap in zip(points, gaps, strict=True) if gap == 0]
    for (_, low), below in zip(points, gaps, strict=True):
        for (_, high), above in zip(points, gaps, strict=True):
            if below < 0 < above:
                meetings.append(low + (high - low) * -below / (above - below))
    return min(meetings)


def corners(curve: Roc) -> list[tuple[int, int]]:
    return list(zip(curve.false_alarms.tolist(), curve.misses.tolist(), strict=True))


def drawn(seed: int, targets: int = 400, nontargets: int = 1600) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.52, 0.16, targets), rng.normal(0.32, 0.11, nontargets)


@given(SIDE, SIDE)
def test_is_the_least_that_mixing_two_points_gives(
    targets: list[int], nontargets: list[int]
) -> None:
    points = rates(targets, nontargets)
    found = hull(roc(targets, nontargets))
    alarms, misses = found.false_alarm_rates[::-1], found.miss_rates[::-1]
    for at in {alarm for alarm, _ in points}:
        # Two corners may have no false alarms; the lower one ends the hull.
        got = misses[alarms == float(at)].min(initial=np.interp(float(at), alarms, misses))
        assert got == pytest.approx(float(exact_height(points, at)), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("decimals", [16, 2])
def test_corners_are_those_of_qhull(seed: int, decimals: int) -> None:
    curve = roc(*(np.round(side, decimals) for side in drawn(seed)))
    points = np.array(corners(curve))
    beyond = np.append(points, [[points[:, 0].max() + 1, points[:, 1].max() + 1]], axis=0)
    wanted = {tuple(beyond[index]) for index in ConvexHull(beyond).vertices} - {tuple(beyond[-1])}
    assert wanted <= set(corners(hull(curve)))
    assert set(corners(hull(curve))) <= set(corners(curve))
    assert len(hull(curve).thresholds) <= len(wanted) + 2


@given(SIDE, SIDE)
def test_turns_one_way_and_keeps_both_ends(targets: list[int], nontargets: list[int]) -> None:
    curve = roc(targets, nontargets)
    found = corners(hull(curve))
    assert (found[0], found[-1]) == ((len(nontargets), 0), (0, len(targets)))
    steps = np.diff(np.array(found), axis=0)
    turns = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    assert np.all(turns <= 0)


def test_parts_of_a_long_curve_join() -> None:
    rng = np.random.default_rng(5)
    curve = roc(rng.normal(0.5, 1, 2 * PIECE), rng.normal(0, 1, 2 * PIECE))
    assert len(curve.thresholds) > 3 * PIECE
    points = np.array(corners(curve))
    beyond = np.append(points, [[4 * PIECE, 4 * PIECE]], axis=0)
    wanted = {tuple(beyond[index]) for index in ConvexHull(beyond).vertices} - {tuple(beyond[-1])}
    assert wanted <= set(corners(hull(curve)))
    # Where the parts are cut there is a corner only if the whole has one there.
    assert len(hull(curve).thresholds) <= len(wanted) + 2


@given(SIDE, SIDE)
def test_eer_is_the_exact_fraction(targets: list[int], nontargets: list[int]) -> None:
    wanted = float(exact_eer(rates(targets, nontargets)))
    assert eer_hull(targets, nontargets) == pytest.approx(wanted, abs=1e-15)


@given(SIDE, SIDE)
def test_eer_of_the_hull_is_at_most_the_eer_and_a_half(
    targets: list[int], nontargets: list[int]
) -> None:
    value = eer_hull(targets, nontargets)
    assert 0 <= value <= min(0.5, eer(targets, nontargets).value + 1e-15)


@pytest.mark.parametrize(
    ("targets", "nontargets", "value"),
    [
        (np.zeros(400), np.zeros(1600), 0.5),
        (np.ones(400), np.zeros(1600), 0.0),
        (np.zeros(400), np.ones(1600), 0.5),
        (np.ones(1), np.zeros(1), 0.0),
        (np.zeros(1), np.ones(1), 0.5),
    ],
    ids=["all equal", "perfect", "inverted", "two trials, perfect", "two trials, inverted"],
)
def test_degenerate_input(targets: Floats, nontargets: Floats, value: float) -> None:
    assert eer_hull(targets, nontargets) == value


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_refuses_unusable_scores(bad: float) -> None:
    with pytest.raises(MetricError, match=r"target scores: 1 of 2 .*position 1"):
        eer_hull([0.5, bad], [0.1])
    with pytest.raises(MetricError, match="nontarget scores: there are none"):
        eer_hull([0.5], [])


@given(SIDE, SIDE, st.randoms(use_true_random=False))
def test_order_is_of_no_matter(targets: list[int], nontargets: list[int], random) -> None:  # type: ignore[no-untyped-def]
    before = eer_hull(targets, nontargets), corners(hull(roc(targets, nontargets)))
    random.shuffle(targets)
    random.shuffle(nontargets)
    after = eer_hull(targets, nontargets), corners(hull(roc(targets, nontargets)))
    assert after == before


@given(SIDE, SIDE, st.integers(1, 4), st.integers(1, 4))
def test_swapping_repeating_and_rising_maps_keep_it(
    targets: list[int], nontargets: list[int], first: int, second: int
) -> None:
    before = eer_hull(targets, nontargets)
    low, high = -np.array(targets * first), -np.array(nontargets * second)
    assert eer_hull(high, low) == pytest.approx(before, abs=1e-15)
    assert eer_hull(np.exp(-low / 9), np.exp(-high / 9)) == pytest.approx(before, abs=1e-15)


def test_products_of_counts_leave_int32() -> None:
    targets, nontargets = drawn(0, 100_000, 100_000)
    value = eer_hull(targets, nontargets)
    assert value == pytest.approx(eer(targets, nontargets).value, abs=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_memory_is_under_four_times_the_scores(dtype: type, share: float) -> None:
    scores = np.random.default_rng(0).normal(size=200_000).astype(dtype)
    targets, nontargets = np.split(scores, [int(share * len(scores))])
    tracemalloc.start()
    eer_hull(targets, nontargets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 4 * scores.nbytes
