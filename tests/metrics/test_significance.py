"""Ranks from left-one-out values: against the paired t test, for which they are exact."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_rel

from harness.metrics.comparison import holm
from harness.metrics.intervals import jackknife_error
from harness.metrics.significance import (
    MIN_UNITS_FOR_RANKS,
    ComparedEntry,
    can_rank,
    p_values,
    ranks_and_difference,
    smallest_visible_difference,
)
from harness.metrics.validation import MetricError

UNITS = [f"speaker-{index:02d}" for index in range(30)]


def ranks(entries: list[ComparedEntry], **options: Any) -> list[int]:
    return ranks_and_difference(entries, **options)[0]


def entry(name: str, per_unit: list[float]) -> ComparedEntry:
    """An entry whose metric is a mean over units: its jackknife error is that of a mean."""
    values = np.array(per_unit)
    size = len(values)
    return ComparedEntry(
        name, float(values.mean()), UNITS[:size], (values.sum() - values) / (size - 1)
    )


def noisy(seed: int, mean: float, spread: float = 0.1) -> list[float]:
    noise: list[float] = (mean + spread * np.random.default_rng(seed).normal(size=30)).tolist()
    return noise


def test_jackknife_error_of_a_mean_is_its_standard_error() -> None:
    values = np.array(noisy(0, 0.5))
    got = jackknife_error(entry("mean", values.tolist()).left_out)
    assert got == pytest.approx(np.std(values, ddof=1) / math.sqrt(30), abs=1e-12)


def test_p_of_two_means_is_the_paired_t_test() -> None:
    first, second = noisy(1, 0.5), noisy(2, 0.55)
    got = p_values([entry("first", first), entry("second", second)])
    wanted = ttest_rel(first, second).pvalue
    assert got == pytest.approx(np.array([[1, wanted], [wanted, 1]]), abs=1e-9)


def test_p_of_three_is_corrected() -> None:
    rows = [noisy(3, 0.5), noisy(4, 0.55), noisy(5, 0.62)]
    got = p_values([entry(str(index), row) for index, row in enumerate(rows)])
    raw = [ttest_rel(rows[i], rows[k]).pvalue for i, k in ((0, 1), (0, 2), (1, 2))]
    assert [got[0, 1], got[0, 2], got[1, 2]] == pytest.approx(holm(raw).tolist(), abs=1e-9)
    assert np.array_equal(got, got.T)


@given(st.lists(st.floats(0, 1), max_size=10))
def test_holm_is_step_down_bonferroni(values: list[float]) -> None:
    adjusted = holm(values)
    for index, value in enumerate(values):
        lower = sorted(other for other in values if other <= value)
        steps = [other * (len(values) - sum(each < other for each in values)) for other in lower]
        assert adjusted[index] == pytest.approx(min(1.0, max(steps)))


def test_holm_of_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(np.array([0.03, 0.06, 0.06, 0.02]))


def test_ranks_count_those_significantly_better() -> None:
    rows = [noisy(6, 0.50, 0.01), noisy(7, 0.501, 0.01), noisy(8, 0.70, 0.01), noisy(9, 0.90, 0.01)]
    entries = [entry(str(index), row) for index, row in enumerate(rows)]
    assert ranks(entries, higher_is_better=False) == [1, 1, 3, 4]
    assert ranks(entries, higher_is_better=True) == [3, 3, 2, 1]
    assert ranks(entries[::-1], higher_is_better=False) == [4, 3, 1, 1]


def test_units_are_paired_by_name() -> None:
    plain = entry("plain", noisy(10, 0.5))
    shared = (np.array(noisy(10, 0.5)) + 0.001).tolist()
    better = entry("better", shared)
    mixed = np.random.default_rng(0).permutation(30)
    shuffled = ComparedEntry(
        "better", better.estimate, [UNITS[index] for index in mixed], better.left_out[mixed]
    )
    assert p_values([plain, shuffled])[0, 1] == p_values([plain, better])[0, 1] < 1e-9


def test_the_same_entry_twice_is_no_different() -> None:
    twice = [entry("one", noisy(11, 0.5)), entry("two", noisy(11, 0.5))]
    assert p_values(twice)[0, 1] == 1
    assert ranks(twice, higher_is_better=True) == [1, 1]
    assert smallest_visible_difference(twice) == pytest.approx(0, abs=1e-12)


def test_a_difference_that_no_unit_changes_is_certain() -> None:
    perfect, wrong = entry("perfect", [0.0] * 30), entry("wrong", [0.25] * 30)
    assert p_values([perfect, wrong])[0, 1] == 0
    assert ranks([perfect, wrong], higher_is_better=False) == [1, 2]


def test_short_tables() -> None:
    assert p_values([]).shape == (0, 0)
    assert p_values([entry("only", noisy(0, 0.5))]) == 1
    with pytest.raises(MetricError, match="1 entries"):
        smallest_visible_difference([entry("only", noisy(0, 0.5))])


def test_smallest_visible_difference_is_the_median_over_pairs() -> None:
    rows = [noisy(12, 0.5), noisy(13, 0.5), noisy(14, 0.5, 0.5)]
    errors = [
        np.std(np.subtract(rows[i], rows[k]), ddof=1) / math.sqrt(30)
        for i, k in ((0, 1), (0, 2), (1, 2))
    ]
    got = smallest_visible_difference([entry(str(index), row) for index, row in enumerate(rows)])
    assert got == pytest.approx(t.ppf(0.975, 29) * np.median(errors), abs=1e-12)


def seeded(name: str, per_unit: list[float], seeds: tuple[float, ...]) -> ComparedEntry:
    """An entry whose seeds lie about its mean at the given distances."""
    plain = entry(name, per_unit)
    return replace(plain, seeds=tuple(plain.estimate + each for each in seeds))


def slow_p(first: ComparedEntry, second: ComparedEntry, table: list[ComparedEntry]) -> float:
    """One comparison, formula by formula, with the seeds of a table pooled as logits."""
    squares, freedom = 0.0, 0
    for each in table:
        if len(each.seeds) > 1:
            slope = each.estimate * (1 - each.estimate)
            squares += sum(((seed - each.estimate) / slope) ** 2 for seed in each.seeds)
            freedom += len(each.seeds) - 1
    test = jackknife_error(first.left_out - second.left_out) ** 2
    seeds = 0.0
    for each in (first, second):
        slope = each.estimate * (1 - each.estimate)
        seeds += squares / freedom * slope**2 / len(each.seeds) if each.seeds else 0.0
    welch = (test + seeds) ** 2 / (test**2 / (len(first.units) - 1) + seeds**2 / freedom)
    return float(2 * t.sf(abs(first.estimate - second.estimate) / math.sqrt(test + seeds), welch))


def test_seeds_are_in_the_error_and_single_ones_borrow_the_spread() -> None:
    entries = [
        seeded("three", noisy(15, 0.20), (-0.01, 0.0, 0.01)),
        seeded("two", noisy(16, 0.25), (-0.02, 0.02)),
        seeded("one", noisy(17, 0.30), (0.0,)),
        entry("baseline", noisy(18, 0.40)),
    ]
    pairs = [(i, k) for i in range(4) for k in range(i + 1, 4)]
    raw = [slow_p(entries[i], entries[k], entries) for i, k in pairs]
    got = p_values(entries)
    assert [got[i, k] for i, k in pairs] == pytest.approx(holm(raw).tolist(), abs=1e-12)
    without = p_values([replace(each, seeds=()) for each in entries])
    assert all(got[i, k] >= without[i, k] for i, k in pairs)


def test_where_no_entry_has_two_seeds_nothing_changes() -> None:
    rows = [noisy(seed, 0.3 + 0.02 * seed) for seed in range(5)]
    without = [entry(str(index), row) for index, row in enumerate(rows)]
    single = [replace(each, seeds=(each.estimate,)) for each in without]
    assert np.array_equal(p_values(single), p_values(without))
    assert smallest_visible_difference(single) == smallest_visible_difference(without)


def test_the_smallest_visible_difference_is_just_significant() -> None:
    """With equal rates and as many seeds, all that is in the error is known beforehand."""
    first = seeded("first", noisy(19, 0.5), (-0.03, 0.03))
    visible = smallest_visible_difference([first, replace(first, name="second")])
    spread = math.sqrt(2) * 0.03
    assert visible == pytest.approx(t.ppf(0.975, 2) * spread * math.sqrt(1 / 2 + 1 / 2))
    assert visible > 3 * smallest_visible_difference(
        [replace(each, seeds=()) for each in (first, entry("third", noisy(19, 0.6)))]
    )


def test_metrics_that_are_no_rates_are_pooled_as_they_are() -> None:
    slow = [seeded("a", noisy(20, 5.0), (-0.5, 0.5)), seeded("b", noisy(21, 7.0), (-0.5, 0.5))]
    assert (
        p_values(slow, scale="plain")[0, 1] > p_values([replace(e, seeds=()) for e in slow])[0, 1]
    )
    assert ranks(slow, higher_is_better=False, scale="plain") == [1, 1]
    with pytest.raises(MetricError, match="has no logit"):
        ranks(slow, higher_is_better=False)


def test_refuses_an_estimate_that_is_not_the_mean_of_its_seeds() -> None:
    with pytest.raises(MetricError, match=r"row: the estimate is 0.5, and the mean of its 2"):
        ComparedEntry("row", 0.5, UNITS[:2], np.array([0.5, 0.5]), (0.5, 0.6))
    with pytest.raises(MetricError, match="seeds of row: 1 of 2 are NaN"):
        ComparedEntry("row", 0.5, UNITS[:2], np.array([0.5, 0.5]), (0.5, math.nan))


def test_false_alarms_of_ranks_stay_near_alpha() -> None:
    told_apart = 0
    for seed in range(200):
        rows = np.random.default_rng(seed).normal(0.5, 0.1, (3, 30)).tolist()
        entries = [entry(str(index), row) for index, row in enumerate(rows)]
        told_apart += ranks(entries, higher_is_better=True) != [1, 1, 1]
    assert told_apart <= 20  # 5 % of 200 is 10; more than 20 has a chance below 0.1 %


def test_twenty_units_can_rank() -> None:
    assert can_rank(MIN_UNITS_FOR_RANKS)
    assert not can_rank(MIN_UNITS_FOR_RANKS - 1)


def test_refuses_entries_on_other_units() -> None:
    short = entry("short", noisy(0, 0.5)[:29])
    with pytest.raises(MetricError, match=r"short and long.*1 are in one only, as 'speaker-29'"):
        ranks([entry("long", noisy(0, 0.5)), short], higher_is_better=True)


@pytest.mark.parametrize(
    ("estimate", "units", "left_out", "message"),
    [
        (0.5, ["a", "a"], [0.1, 0.2], "1 distinct"),
        (0.5, ["a", "b"], [0.1], "2 units"),
        (0.5, ["a", "b"], [0.1, math.nan], "NaN"),
        (math.nan, ["a", "b"], [0.1, 0.2], "NaN"),
        (0.5, ["a"], [0.1], "1 unit"),
        (0.5, [], [], "there are none"),
    ],
)
def test_refuses_an_unusable_entry(
    estimate: float, units: list[str], left_out: list[float], message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        ComparedEntry("row", estimate, units, np.array(left_out))


def test_jackknife_error_needs_two() -> None:
    with pytest.raises(MetricError, match="at least 2"):
        jackknife_error([0.5])
