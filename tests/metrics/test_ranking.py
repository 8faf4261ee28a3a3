"""Pairs in order and Kendall's tau over units, against loops over pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.metrics.intervals import draw_units
from harness.metrics.ranking import UnitPairs, kendall_tau, tau_left_one_out, tau_replicates
from harness.metrics.validation import MetricError


def graded(seed: int, count: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores and grades with ties, of items of five units."""
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 6, count).astype(float)
    scores = np.round(grades + rng.normal(0, 2, count))
    return scores, grades, np.array([f"u{place}" for place in rng.integers(0, 5, count)])


def slow_tau(scores: np.ndarray, grades: np.ndarray) -> float:
    agree, in_score, in_grade = 0.0, 0, 0
    for i in range(len(scores)):
        for k in range(i):
            way = np.sign(scores[i] - scores[k]), np.sign(grades[i] - grades[k])
            agree += way[0] * way[1]
            in_score += way[0] != 0
            in_grade += way[1] != 0
    return agree / math.sqrt(in_score * in_grade) if in_score else 0.0


def listed(seed: int, count: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    units = np.array(["a", "b", "c", "d"])
    first, second = units[rng.integers(0, 4, count)], units[rng.integers(0, 4, count)]
    return rng.choice([0.0, 0.5, 1.0], count), first, second


@pytest.mark.parametrize("seed", range(5))
def test_tau_is_that_of_a_loop_over_pairs(seed: int) -> None:
    scores, grades, units = graded(seed)
    assert kendall_tau(scores, grades) == pytest.approx(slow_tau(scores, grades))
    left = tau_left_one_out(scores, grades, units)
    wanted = [slow_tau(scores[units != unit], grades[units != unit]) for unit in np.unique(units)]
    assert left.tolist() == pytest.approx(wanted)


def test_tau_on_resampled_units_is_that_of_their_repeated_items() -> None:
    scores, grades, units = graded(1)
    names = np.unique(units)
    drawn = draw_units(np.random.default_rng(7), len(names), 9)
    wanted = []
    for counts in drawn:
        rows = [
            row for row, unit in enumerate(units) for _ in range(counts[list(names).index(unit)])
        ]
        wanted.append(slow_tau(scores[rows], grades[rows]))
    found = tau_replicates(scores, grades, units, resamples=9, seed=7)
    assert found.tolist() == pytest.approx(wanted)


def test_a_score_that_is_the_same_for_all_ranks_nothing() -> None:
    assert kendall_tau([1.0, 1.0, 1.0], [1, 2, 3]) == 0
    assert kendall_tau([1.0, 2.0, 3.0], [1, 2, 3]) == 1
    assert kendall_tau([3.0, 2.0, 1.0], [1, 2, 3]) == -1


@pytest.mark.parametrize("seed", range(4))
def test_pairs_on_resampled_units_weigh_as_both_sides_were_drawn(seed: int) -> None:
    points, first, second = listed(seed)
    pairs = UnitPairs(points, first, second)
    assert pairs.accuracy == pytest.approx(points.mean())
    names = pairs.units.tolist()
    wanted = []
    for counts in draw_units(np.random.default_rng(3), len(names), 12):
        won = total = 0.0
        for point, one, two in zip(points, first, second, strict=True):
            weight = counts[names.index(one)] * (counts[names.index(two)] if one != two else 1)
            won, total = won + weight * point, total + weight
        wanted.append(won / total if total else points.mean())
    assert pairs.replicates(resamples=12, seed=3).tolist() == pytest.approx(wanted)


@pytest.mark.parametrize("seed", range(4))
def test_a_unit_left_out_takes_its_pairs_away(seed: int) -> None:
    points, first, second = listed(seed)
    pairs = UnitPairs(points, first, second)
    wanted = [points[(first != unit) & (second != unit)].mean() for unit in pairs.units.tolist()]
    assert pairs.left_one_out().tolist() == pytest.approx(wanted)


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(MetricError, match="one grade"):
        kendall_tau([1.0, 2.0], [3, 3])
    with pytest.raises(MetricError, match="NaN"):
        kendall_tau([1.0, float("nan")], [1, 2])
    with pytest.raises(MetricError, match="of the unit a"):
        UnitPairs([1.0, 1.0], ["a", "a"], ["b", "a"]).left_one_out()
