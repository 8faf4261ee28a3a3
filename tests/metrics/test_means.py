"""Means over resampled units, against items written out as often as they were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.intervals import draw_units, logit_interval
from harness.metrics.means import left_one_out_mean, mean_interval, mean_replicates
from harness.metrics.validation import MetricError

UNITS = np.array(["ann", "bob", "ann", "eve", "bob", "ann"])
VALUES = np.array([0.25, 0.9, 0.0, 1.0, 0.4, 0.7])
COUNTS = np.array([4, 1, 3, 2, 5, 1])


@pytest.mark.parametrize("counts", [None, COUNTS])
def test_replicates_equal_repeated_items(counts) -> None:  # type: ignore[no-untyped-def]
    got = mean_replicates(VALUES, UNITS, counts=counts, resamples=50, seed=2)
    codes = np.unique(UNITS, return_inverse=True)[1]
    times = np.ones(6, dtype=int) if counts is None else counts
    draws = draw_units(np.random.default_rng(2), 3, 50)
    wanted = [np.mean(np.repeat(VALUES, row[codes] * times)) for row in draws]
    assert got == pytest.approx(np.array(wanted), abs=1e-12)


ITEMS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from("abcde"), st.integers(1, 5)), min_size=2
).filter(lambda items: len({unit for _, unit, _ in items}) > 1)


@given(ITEMS)
def test_left_one_out_equals_removed_items(items: list[tuple[float, str, int]]) -> None:
    values, units, counts = (np.array(column) for column in zip(*items, strict=True))
    plain = [np.mean(values[units != unit]) for unit in np.unique(units)]
    assert left_one_out_mean(values, units) == pytest.approx(np.array(plain), abs=1e-9)
    weighed = [
        np.mean(np.repeat(values[units != unit], counts[units != unit]))
        for unit in np.unique(units)
    ]
    got = left_one_out_mean(values, units, counts=counts)
    assert got == pytest.approx(np.array(weighed), abs=1e-9)


@given(ITEMS)
def test_interval_holds_the_mean_and_stays_a_rate(items: list[tuple[float, str, int]]) -> None:
    values, units, counts = (np.array(column) for column in zip(*items, strict=True))
    interval = mean_interval(values, units, counts=counts, resamples=20, seed=0)
    mean = float(np.mean(np.repeat(values, counts)))
    assert 0 <= interval.low <= mean + 1e-12
    assert mean - 1e-12 <= interval.high <= 1


def test_interval_is_that_of_the_replicates() -> None:
    got = mean_interval(VALUES, UNITS, counts=COUNTS, level=0.9, resamples=200, seed=4)
    replicates = mean_replicates(VALUES, UNITS, counts=COUNTS, resamples=200, seed=4)
    mean = float(np.average(VALUES, weights=COUNTS))
    wanted = logit_interval(mean, replicates, 3, 0.9, floor=0.5 / COUNTS.sum())
    assert (got.low, got.high) == pytest.approx((wanted.low, wanted.high))


def test_a_value_of_several_trials_is_as_good_as_the_trials() -> None:
    trials, of = np.array([1.0, 0.0, 1.0, 1.0, 0.0]), np.array([0, 0, 0, 1, 1])
    rates, counts = np.array([2 / 3, 1 / 2]), np.array([3, 2])
    apart = mean_replicates(trials, of, resamples=30, seed=1)
    joined = mean_replicates(rates, [0, 1], counts=counts, resamples=30, seed=1)
    assert joined == pytest.approx(apart, abs=1e-12)


def test_means_of_right_and_wrong_are_exact() -> None:
    rng = np.random.default_rng(6)
    correct, units = rng.random(5000) < 0.8, rng.integers(0, 70, 5000)
    hits, counts = np.bincount(units[correct], minlength=70), np.bincount(units, minlength=70)
    draws = draw_units(np.random.default_rng(0), 70, 200)
    wanted = (draws @ hits) / (draws @ counts)
    assert np.array_equal(mean_replicates(correct, units, resamples=200, seed=0), wanted)
    wanted = (hits.sum() - hits) / (counts.sum() - counts)
    assert np.array_equal(left_one_out_mean(correct, units), wanted)


def test_order_of_items_does_not_matter() -> None:
    turn = np.array([3, 1, 5, 0, 4, 2])
    straight = mean_replicates(VALUES, UNITS, seed=0)
    assert mean_replicates(VALUES[turn], UNITS[turn], seed=0) == pytest.approx(straight, abs=1e-12)


def test_refuses_unusable_values() -> None:
    with pytest.raises(MetricError, match="there are none"):
        mean_replicates([], [], seed=0)
    with pytest.raises(MetricError, match="lengths differ"):
        mean_replicates(VALUES, ["ann"], seed=0)
    with pytest.raises(MetricError, match="1 of 2 are NaN or infinite, the first at position 1"):
        left_one_out_mean([0.5, np.nan], ["ann", "bob"])
    with pytest.raises(MetricError, match=r"2 of 3 are out of \[0, 1\], the first at position 1"):
        mean_interval([0.5, 1.5, -0.5], range(3), seed=0)
    with pytest.raises(MetricError, match="0 resamples"):
        mean_replicates(VALUES, UNITS, resamples=0, seed=0)


def test_refuses_unusable_units_and_counts() -> None:
    with pytest.raises(MetricError, match="at least 2 units"):
        left_one_out_mean(VALUES, ["ann"] * 6)
    with pytest.raises(MetricError, match="1 units"):
        mean_interval(VALUES, ["ann"] * 6, seed=0)
    with pytest.raises(MetricError, match="want whole numbers"):
        left_one_out_mean(VALUES, UNITS, counts=np.ones(6))
    with pytest.raises(MetricError, match="1 of 6 are below 1, the first at position 2"):
        left_one_out_mean(VALUES, UNITS, counts=[1, 1, 0, 1, 1, 1])
    with pytest.raises(MetricError, match="lengths differ"):
        left_one_out_mean(VALUES, UNITS, counts=[1, 1])
