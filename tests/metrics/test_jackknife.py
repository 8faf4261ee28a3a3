"""Intervals from left-one-out values, against the formula written out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from harness.metrics.intervals import jackknife_interval, logit_interval
from harness.metrics.validation import MetricError

RATES = st.floats(0.02, 0.98)


def logit(rate: float) -> float:
    return math.log(rate / (1 - rate))


def rate(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@given(RATES, st.lists(RATES, min_size=2, max_size=30), st.sampled_from([0.9, 0.95]))
def test_the_formula_written_out(estimate: float, left_out: list[float], level: float) -> None:
    units, logits = len(left_out), [logit(value) for value in left_out]
    mean = sum(logits) / units
    error = math.sqrt((units - 1) / units * sum((each - mean) ** 2 for each in logits))
    reach = student.ppf((1 + level) / 2, units - 1) * error
    if reach > 700:
        return
    found = jackknife_interval(estimate, left_out, level, floor=0.001)
    assert found.low == pytest.approx(rate(logit(estimate) - reach), abs=1e-12)
    assert found.high == pytest.approx(rate(logit(estimate) + reach), abs=1e-12)


@given(RATES, st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_it_holds_the_estimate_and_mirrors(estimate: float, left_out: list[float]) -> None:
    found = jackknife_interval(estimate, left_out, floor=0.01)
    assert 0 <= found.low <= estimate <= found.high <= 1
    mirrored = jackknife_interval(1 - estimate, [1 - each for each in left_out], floor=0.01)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high))


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_no_error_at_all_says_what_so_many_units_can_say(end: float) -> None:
    found = jackknife_interval(end, [end] * 22, floor=0.01)
    assert found == logit_interval(end, [end] * 22, units=22, floor=0.01)
    assert found.high - found.low == pytest.approx(1 - 0.025 ** (1 / 22))


def test_an_estimate_of_0_with_spread_begins_at_0() -> None:
    found = jackknife_interval(0.0, [0.0, 0.0, 0.1], floor=0.01)
    assert found.low == 0
    assert 0.01 < found.high < 1


@pytest.mark.parametrize(
    ("estimate", "left_out", "mend"),
    [
        (0.1, [0.1], "at least 2 units"),
        (1.1, [0.1, 0.2], "this interval is for rates"),
        (0.1, [0.1, -0.2], "this interval is for rates"),
        (0.1, [0.1, float("nan")], "NaN"),
    ],
)
def test_what_has_no_interval(estimate: float, left_out: list[float], mend: str) -> None:
    with pytest.raises(MetricError, match=mend):
        jackknife_interval(estimate, left_out, floor=0.01)
