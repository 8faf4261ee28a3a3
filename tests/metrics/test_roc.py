"""The ROC against scikit-learn and brute force."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from harness.metrics.roc import PIECE, Roc, pieces, roc, thin
from harness.metrics.validation import MetricError

Floats = NDArray[np.float64]

SIDE = st.lists(st.integers(-20, 20), min_size=1, max_size=30)


def drawn(seed: int, targets: int = 400, nontargets: int = 1600) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.52, 0.16, targets), rng.normal(0.12, 0.11, nontargets)


def labelled(targets: Floats, nontargets: Floats) -> tuple[Floats, Floats]:
    return np.r_[np.ones(len(targets)), np.zeros(len(nontargets))], np.r_[targets, nontargets]


def points(curve: Roc) -> list[tuple[float, int, int]]:
    columns = (curve.thresholds.tolist(), curve.misses.tolist(), curve.false_alarms.tolist())
    return list(zip(*columns, strict=True))


def brute_points(targets: list[int], nontargets: list[int]) -> list[tuple[float, int, int]]:
    """The definition, every score and +inf tried: O(N^2)."""
    return [
        (limit, sum(s < limit for s in targets), sum(s >= limit for s in nontargets))
        for limit in [*sorted({*targets, *nontargets}), math.inf]
    ]


@pytest.mark.parametrize("decimals", [16, 5, 2, 1, 0])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_learn(seed: int, decimals: int) -> None:
    targets, nontargets = (np.round(side, decimals) for side in drawn(seed))
    labels, scores = labelled(targets, nontargets)
    false_alarms, hits, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    curve = roc(targets, nontargets)
    np.testing.assert_array_equal(curve.thresholds, thresholds[::-1])
    np.testing.assert_allclose(curve.false_alarm_rates, false_alarms[::-1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(curve.miss_rates, 1 - hits[::-1], rtol=0, atol=1e-9)


@given(SIDE, SIDE)
def test_is_what_counting_gives(targets: list[int], nontargets: list[int]) -> None:
    assert points(roc(targets, nontargets)) == brute_points(targets, nontargets)


def test_lists_longer_than_a_piece_are_counted_whole() -> None:
    rng = np.random.default_rng(0)
    targets, nontargets = rng.integers(0, 50, 2 * PIECE + 1), rng.integers(-9, 30, PIECE)
    assert points(roc(targets, nontargets)) == brute_points(targets.tolist(), nontargets.tolist())


@given(st.integers(0, 10**7))
def test_pieces_are_every_item_once(length: int) -> None:
    cuts = list(pieces(length))
    edges = [0, *(cut.stop for cut in cuts)]
    assert [cut.start for cut in cuts] == edges[:-1]
    assert edges[-1] == length
    assert len(cuts) <= max(65, length // PIECE + 1)


@given(SIDE, SIDE, st.randoms(use_true_random=False))
def test_order_is_of_no_matter(targets: list[int], nontargets: list[int], random) -> None:  # type: ignore[no-untyped-def]
    before = points(roc(targets, nontargets))
    random.shuffle(targets)
    random.shuffle(nontargets)
    assert points(roc(targets, nontargets)) == before


@given(SIDE, SIDE)
def test_swapping_negated_sides_mirrors_it(targets: list[int], nontargets: list[int]) -> None:
    there = roc(targets, nontargets)
    back = roc(-np.array(nontargets), -np.array(targets))
    assert back.misses.tolist() == there.false_alarms[::-1].tolist()
    assert back.false_alarms.tolist() == there.misses[::-1].tolist()


@given(SIDE, SIDE, st.integers(2, 4), st.integers(2, 4), st.integers(-3, 3))
def test_repeating_sides_and_rising_maps_keep_rates(
    targets: list[int], nontargets: list[int], first: int, second: int, power: int
) -> None:
    there = roc(targets, nontargets)
    moved = [np.array(side) * 2.0**power + 7 for side in (targets * first, nontargets * second)]
    again = roc(*moved)
    np.testing.assert_allclose(again.miss_rates, there.miss_rates, atol=1e-15)
    np.testing.assert_allclose(again.false_alarm_rates, there.false_alarm_rates, atol=1e-15)
    np.testing.assert_array_equal(again.thresholds, there.thresholds * 2.0**power + 7)


@pytest.mark.parametrize(
    ("targets", "nontargets", "points"),
    [
        (np.zeros(400), np.zeros(1600), 2),
        (np.ones(400), np.zeros(1600), 3),
        (np.zeros(400), np.ones(1600), 3),
    ],
    ids=["all equal", "perfect", "inverted"],
)
def test_degenerate_input(targets: Floats, nontargets: Floats, points: int) -> None:
    curve = roc(targets, nontargets)
    assert len(curve.thresholds) == points
    assert (curve.misses[0], curve.false_alarms[-1]) == (0, 0)
    assert (curve.all_targets, curve.all_nontargets) == (400, 1600)
    assert (curve.miss_rates[-1], curve.false_alarm_rates[0]) == (1.0, 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_refuses_unusable_scores(bad: float) -> None:
    with pytest.raises(MetricError, match=r"nontarget scores: 1 of 2 .*position 1"):
        roc([0.5], [0.1, bad])
    with pytest.raises(MetricError, match="target scores: there are none"):
        roc([], [0.1])
    with pytest.raises(MetricError, match="ravel"):
        roc(np.ones((2, 2)), [0.1])


def test_dtype_stays_and_counts_are_small() -> None:
    targets, nontargets = (side.astype(np.float32) for side in drawn(0))
    curve = roc(targets, nontargets)
    assert (curve.thresholds.dtype, curve.misses.dtype) == (np.float32, np.int32)
    assert points(curve) == points(roc(targets.astype(float), nontargets))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_memory_is_under_four_times_the_scores(dtype: type, share: float) -> None:
    count = 200_000
    scores = np.random.default_rng(0).normal(size=count).astype(dtype)
    targets, nontargets = np.split(scores, [int(share * count)])
    tracemalloc.start()
    curve = roc(targets, nontargets)
    few = thin(curve)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(few.thresholds) < len(curve.thresholds)
    assert peak <= 4 * scores.nbytes


@given(SIDE, SIDE)
def test_rates_never_turn_back(targets: list[int], nontargets: list[int]) -> None:
    curve = roc(targets, nontargets)
    for (_, miss, alarm), (_, more, fewer) in itertools.pairwise(points(curve)):
        assert miss <= more
        assert alarm >= fewer
        assert (miss, alarm) != (more, fewer)
