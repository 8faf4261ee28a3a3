"""The ROC convex hull against Qhull, an obvious definition and the laws it must keep."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from harness.metrics.cllr import hull
from harness.metrics.roc import PIECE, Roc, roc

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


def corners(curve: Roc) -> list[tuple[int, int]]:
    return list(zip(curve.false_alarms.tolist(), curve.misses.tolist(), strict=True))


def drawn(seed: int, targets: int = 400, nontargets: int = 1600) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.52, 0.16, targets), rng.normal(0.32, 0.11, nontargets)


@settings(deadline=None)  # the definition takes N^3 fractions
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


@given(SIDE, SIDE, st.randoms(use_true_random=False))
def test_order_is_of_no_matter(targets: list[int], nontargets: list[int], random) -> None:  # type: ignore[no-untyped-def]
    before = corners(hull(roc(targets, nontargets)))
    random.shuffle(targets)
    random.shuffle(nontargets)
    assert corners(hull(roc(targets, nontargets))) == before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_memory_is_under_four_times_the_scores(dtype: type, share: float) -> None:
    scores = np.random.default_rng(0).normal(size=200_000).astype(dtype)
    targets, nontargets = np.split(scores, [int(share * len(scores))])
    tracemalloc.start()
    hull(roc(targets, nontargets))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 4 * scores.nbytes
