"""Pairwise ranking accuracy, one pair at a time, and against Somers' D."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import somersd

from harness.metrics.means import left_one_out_mean, mean_interval
from harness.metrics.pairwise import compare_graded_pairs, pair_points, pairwise_accuracy
from harness.metrics.validation import MetricError

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20)
ITEMS = st.lists(
    st.tuples(st.integers(-2, 2), st.integers(1, 4), st.sampled_from("abc")),
    min_size=2,
    max_size=25,
)


def point(preferred: float, other: float) -> float:
    if preferred == other:
        return 0.5
    return 1.0 if preferred > other else 0.0


def points_by_group(items: list[tuple[int, int, str]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {group: [] for _, _, group in items}
    for one, two in combinations(items, 2):
        if one[2] == two[2] and one[1] != two[1]:
            better, worse = (one, two) if one[1] > two[1] else (two, one)
            found[one[2]].append(point(better[0], worse[0]))
    return found


@given(PAIRS)
def test_explicit_pairs(pairs: list[tuple[int, int]]) -> None:
    preferred, other = zip(*pairs, strict=True)
    wanted = [point(*pair) for pair in pairs]
    assert pair_points(preferred, other).tolist() == wanted
    assert pairwise_accuracy(preferred, other) == pytest.approx(np.mean(wanted))
    assert pairwise_accuracy(other, preferred) == pytest.approx(1 - np.mean(wanted))


@given(ITEMS)
def test_graded_pairs_one_at_a_time(items: list[tuple[int, int, str]]) -> None:
    wanted = points_by_group(items)
    some = {group: points for group, points in sorted(wanted.items()) if points}
    assume(some)
    scores, grades, groups = zip(*items, strict=True)
    got = compare_graded_pairs(scores, grades, groups)
    assert got.groups.tolist() == list(some)
    assert got.pairs.tolist() == [len(points) for points in some.values()]
    assert got.points.tolist() == [sum(points) for points in some.values()]
    assert got.without_pairs.tolist() == sorted(set(wanted) - set(some))
    assert got.macro == pytest.approx(np.mean([np.mean(points) for points in some.values()]))
    assert got.micro == pytest.approx(np.mean([p for points in some.values() for p in points]))


def test_one_group_is_somers_d_moved_to_a_rate() -> None:
    rng = np.random.default_rng(0)
    grades = rng.integers(1, 6, 60)
    scores = np.round(grades + rng.normal(size=60), 0)
    wanted = (1 + somersd(grades, scores).statistic) / 2
    got = compare_graded_pairs(scores, grades, ["dialogue"] * 60)
    assert got.micro == got.macro == pytest.approx(wanted)
    assert 0.6 < got.micro < 0.95


def test_macro_and_micro_differ_when_groups_do() -> None:
    scores, grades = [1.0, 2.0, 3.0, 4.0, 2.0, 1.0], [1, 2, 3, 4, 1, 2]
    got = compare_graded_pairs(scores, grades, list("aaaabb"))
    assert (got.macro, got.micro) == pytest.approx((1 / 2, 6 / 7))


def test_only_the_order_of_the_scores_matters() -> None:
    rng = np.random.default_rng(1)
    scores, grades, groups = rng.normal(size=50), rng.integers(1, 4, 50), rng.integers(0, 6, 50)
    straight = compare_graded_pairs(scores, grades, groups)
    assert np.array_equal(
        compare_graded_pairs(np.exp(scores), grades**3, groups).points, straight.points
    )
    assert compare_graded_pairs(np.zeros(50), grades, groups).micro == 0.5
    assert compare_graded_pairs(-scores, grades, groups).micro == pytest.approx(1 - straight.micro)


def test_dialogues_are_the_units_of_both_means() -> None:
    rng = np.random.default_rng(2)
    scores, grades, groups = rng.random(90), rng.integers(1, 4, 90), np.repeat(range(9), 10)
    found = compare_graded_pairs(scores, grades, groups)
    without = [
        compare_graded_pairs(scores[groups != g], grades[groups != g], groups[groups != g])
        for g in found.groups
    ]
    macro = left_one_out_mean(found.rates, found.groups)
    micro = left_one_out_mean(found.rates, found.groups, counts=found.pairs)
    assert macro == pytest.approx(np.array([left.macro for left in without]), abs=1e-12)
    assert micro == pytest.approx(np.array([left.micro for left in without]), abs=1e-12)
    interval = mean_interval(found.rates, found.groups, counts=found.pairs, seed=0)
    assert 0.3 < interval.low < found.micro < interval.high < 0.7


def test_refuses_unusable_input() -> None:
    with pytest.raises(MetricError, match="preferred scores: there are none"):
        pairwise_accuracy([], [])
    with pytest.raises(MetricError, match="lengths differ"):
        pairwise_accuracy([0.5, 0.1], [0.5])
    with pytest.raises(MetricError, match="other scores: 1 of 1 are NaN"):
        pairwise_accuracy([0.5], [np.nan])
    with pytest.raises(MetricError, match="no pair in 2 groups of 3 items"):
        compare_graded_pairs([0.1, 0.2, 0.3], [1, 1, 2], ["a", "a", "b"])
    with pytest.raises(MetricError, match="grades: 1 of 2 are NaN"):
        compare_graded_pairs([0.1, 0.2], [1, np.nan], ["a", "a"])
    with pytest.raises(MetricError, match="lengths differ"):
        compare_graded_pairs([0.1, 0.2], [1, 2], ["a"])
