"""Paired differences: against the paired t test, and plain sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_rel

from harness.metrics.comparison import compare_replicates, two_sided_p
from harness.metrics.detection import eer
from harness.metrics.intervals import draw_units, jackknife_error
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import speaker_replicates
from harness.metrics.validation import MetricError

REPLICATES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=20).map(
    np.array
)


def test_a_difference_is_what_plain_sums_give() -> None:
    first, second = [0.10, 0.13, 0.12, 0.09], [0.05, 0.06, 0.07, 0.06]
    apart = [a - b for a, b in zip(first, second, strict=True)]
    mean = sum(apart) / 4
    error = math.sqrt(sum((each - mean) ** 2 for each in apart) / 3)
    reach = t.ppf(0.95, 11) * error
    got = compare_replicates(0.11, first, 0.06, second, units=12, level=0.9)
    wanted = 0.05, 0.05 - reach, 0.05 + reach, error, 2 * t.sf(0.05 / error, 11)
    assert (got.value, got.low, got.high, got.error, got.p) == pytest.approx(wanted, abs=1e-12)
    assert got.freedom == 11


def test_for_means_it_is_near_the_paired_t_test() -> None:
    """The bootstrap's variance of a mean is (S - 1) / S of the t test's."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.50, 0.1, 200), rng.normal(0.52, 0.1, 200)
    draws = draw_units(rng, 200, 20_000)
    got = compare_replicates(
        first.mean(), draws @ first / 200, second.mean(), draws @ second / 200, units=200
    )
    wanted = ttest_rel(first, second)
    interval = wanted.confidence_interval()
    assert got.p == pytest.approx(wanted.pvalue, abs=0.01)
    assert (got.low, got.high) == pytest.approx((interval.low, interval.high), abs=5e-4)


@given(REPLICATES, st.floats(0, 1), st.floats(0, 1), st.integers(2, 50))
def test_the_interval_holds_zero_where_p_is_above_alpha(
    replicates: np.ndarray, one: float, two: float, units: int
) -> None:
    got = compare_replicates(one, replicates[:, 0], two, replicates[:, 1], units)
    assert 0 <= got.p <= 1
    if abs(got.p - 0.05) > 1e-6:
        assert (got.low <= 0 <= got.high) == (got.p > 0.05) or got.error <= 1e-12


@given(REPLICATES, st.floats(0, 1), st.floats(0, 1), st.integers(2, 50))
def test_the_other_way_round_only_the_sign_differs(
    replicates: np.ndarray, one: float, two: float, units: int
) -> None:
    there = compare_replicates(one, replicates[:, 0], two, replicates[:, 1], units)
    back = compare_replicates(two, replicates[:, 1], one, replicates[:, 0], units)
    assert (back.value, back.low, back.high, back.p) == pytest.approx(
        (-there.value, -there.high, -there.low, there.p), abs=1e-12
    )


def test_two_systems_on_the_same_speakers_need_less_than_two_intervals() -> None:
    def scored(seed: int, gain: float) -> ScoredTrials:
        rng, own = np.random.default_rng(0), np.random.default_rng(seed)
        enrol, test = np.repeat(np.arange(20), 400), np.tile(np.arange(20), 400)
        labels = enrol == test
        hardness = rng.normal(0, 0.15, 20)  # both systems find the same speakers hard
        scores = np.where(labels, 0.5 + hardness[enrol] + gain, 0.1) + 0.1 * own.normal(size=8000)
        return ScoredTrials(scores, labels, enrol, test)

    both = [scored(1, 0.0), scored(2, 0.02)]
    drawn = [speaker_replicates(each, OperatingPoint(0.05), resamples=200, seed=3) for each in both]
    values = [eer(each.scores[each.is_target], each.scores[~each.is_target]).value for each in both]
    got = compare_replicates(values[0], drawn[0].eer, values[1], drawn[1].eer, drawn[0].units)
    apart = math.hypot(np.std(drawn[0].eer, ddof=1), np.std(drawn[1].eer, ddof=1))
    assert 0 < got.error < 0.7 * apart


def test_without_spread_a_difference_is_certain() -> None:
    assert compare_replicates(0.3, [0.3, 0.3], 0.2, [0.2, 0.2], units=9).p == 0
    assert compare_replicates(0.3, [0.3, 0.2], 0.3, [0.3, 0.2], units=9).p == 1


def test_p_is_students_with_one_freedom_a_difference() -> None:
    got = two_sided_p(np.array([1.0, -2.0]), np.array([0.5, 1.5]), np.array([3.0, 7.5]))
    wanted = [2 * t.sf(2.0, 3), 2 * t.sf(2 / 1.5, 7.5)]
    assert got == pytest.approx(np.array(wanted), abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_jackknife_error_is_its_formula(values: list[float]) -> None:
    mean, size = sum(values) / len(values), len(values)
    wanted = math.sqrt((size - 1) / size * sum((each - mean) ** 2 for each in values))
    assert jackknife_error(values) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "units", "level", "message"),
    [
        ([0.1, 0.2], [0.1], 5, 0.95, r"replicates_a \(2,\), replicates_b \(1,\)"),
        ([0.1], [0.1], 5, 0.95, "5 units and 1 replicates"),
        ([0.1, 0.2], [0.1, 0.2], 1, 0.95, "1 units and 2 replicates"),
        ([0.1, math.nan], [0.1, 0.2], 5, 0.95, "replicates of the first entry: 1 of 2 are NaN"),
        ([0.1, 0.2], [0.1, math.inf], 5, 0.95, "replicates of the second entry: 1 of 2 are NaN"),
        ([0.1, 0.2], [0.1, 0.2], 5, 1.0, "level is 1.0"),
    ],
)
def test_refuses_what_is_not_paired(
    first: list[float], second: list[float], units: int, level: float, message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        compare_replicates(0.1, first, 0.1, second, units, level=level)


def test_refuses_an_estimate_that_is_not_finite() -> None:
    with pytest.raises(MetricError, match="estimates of the two entries"):
        compare_replicates(math.nan, [0.1, 0.2], 0.1, [0.1, 0.2], units=5)
