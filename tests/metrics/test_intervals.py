"""The logit-t interval and its rule for rates of exactly 0 and 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, t

from harness.metrics.intervals import Interval, draw_units, half_trial, logit_interval
from harness.metrics.validation import MetricError


def test_is_the_formula() -> None:
    replicates = np.random.default_rng(0).uniform(0.05, 0.15, 200)
    got = logit_interval(0.1, replicates, units=12, level=0.9, floor=0.001)
    spread = np.std(np.log(replicates / (1 - replicates)), ddof=1)
    ends = [math.log(0.1 / 0.9) + sign * t.ppf(0.95, 11) * spread for sign in (-1, 1)]
    low, high = (1 / (1 + math.exp(-end)) for end in ends)
    assert (got.low, got.high) == pytest.approx((low, high), abs=1e-12)


@given(
    st.floats(0, 1),
    st.lists(st.floats(0, 1), min_size=2, max_size=20),
    st.integers(2, 50),
    st.floats(1e-6, 0.1),
)
def test_contains_the_estimate_within_0_and_1(
    estimate: float, replicates: list[float], units: int, floor: float
) -> None:
    got = logit_interval(estimate, replicates, units, floor=floor)
    assert 0 <= got.low <= estimate <= got.high <= 1


@given(
    st.floats(0.01, 0.99),
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20),
)
def test_mirrors(estimate: float, replicates: list[float]) -> None:
    plain = logit_interval(estimate, replicates, 10, floor=0.01)
    mirrored = logit_interval(1 - estimate, 1 - np.array(replicates), 10, floor=0.01)
    assert (plain.low, plain.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)


@pytest.mark.parametrize("units", [2, 12, 40])
def test_no_error_at_all_gives_the_clopper_pearson_limit(units: int) -> None:
    limit = beta.ppf(0.975, 1, units)
    none = logit_interval(0.0, [0.0] * 5, units, floor=0.001)
    every = logit_interval(1.0, [1.0] * 5, units, floor=0.001)
    assert (none.low, none.high) == pytest.approx((0.0, limit))
    assert (every.low, every.high) == pytest.approx((1 - limit, 1.0))


def test_an_estimate_of_1_with_spread_ends_at_1() -> None:
    got = logit_interval(1.0, [1.0, 0.9, 0.8], 10, floor=0.01)
    assert got.high == 1.0
    assert 0 < got.low < 0.9


def test_no_spread_between_0_and_1_is_no_width() -> None:
    got = logit_interval(0.25, [0.25, 0.25], 10, floor=0.01)
    assert (got.low, got.high) == pytest.approx((0.25, 0.25))


@pytest.mark.parametrize(
    ("estimate", "replicates", "units", "level", "floor"),
    [
        (0.1, [0.1, 0.2], 1, 0.95, 0.01),
        (0.1, [0.1], 10, 0.95, 0.01),
        (0.1, [], 10, 0.95, 0.01),
        (0.1, [0.1, math.nan], 10, 0.95, 0.01),
        (0.1, [0.1, 1.2], 10, 0.95, 0.01),
        (math.nan, [0.1, 0.2], 10, 0.95, 0.01),
        (7.0, [0.1, 0.2], 10, 0.95, 0.01),
        (0.1, [0.1, 0.2], 10, 1.0, 0.01),
        (0.1, [0.1, 0.2], 10, 0.95, 0.0),
        (0.1, [0.1, 0.2], 10, 0.95, 0.5),
    ],
)
def test_refuses(
    estimate: float, replicates: list[float], units: int, level: float, floor: float
) -> None:
    with pytest.raises(MetricError):
        logit_interval(estimate, replicates, units, level, floor=floor)


def test_half_trial_needs_two() -> None:
    assert half_trial(2) == 0.25
    with pytest.raises(MetricError, match="1 trials"):
        half_trial(1)


def test_draws_are_of_as_many_units_and_follow_the_seed() -> None:
    draws = draw_units(np.random.default_rng(5), 40, 500)
    assert draws.shape == (500, 40)
    assert (draws.sum(axis=1) == 40).all()
    assert draws.mean(axis=0) == pytest.approx(np.ones(40), abs=0.2)
    assert np.array_equal(draws, draw_units(np.random.default_rng(5), 40, 500))
    with pytest.raises(MetricError):
        draw_units(np.random.default_rng(5), 0, 10)


def test_intervals_are_values_told_apart_by_either_end() -> None:
    assert len({Interval(*ends) for ends in [(0.1, 0.2), (0.1, 0.2), (0.1, 0.3), (0.0, 0.2)]}) == 3
