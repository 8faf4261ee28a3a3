"""Timers."""

from __future__ import annotations

import time

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.timing import quantile, time_action


def test_warmup_runs_and_is_not_timed() -> None:
    naps = iter([0.2, 0.2, 0.01, 0.01, 0.01])
    assert 0.01 <= time_action(lambda: time.sleep(next(naps)), repeats=3, warmup=2).median < 0.15
    assert next(naps, None) is None


def test_the_slow_ones_are_told_apart() -> None:
    naps = iter([0.001] * 17 + [0.2] * 3)
    measured = time_action(lambda: time.sleep(next(naps)), repeats=20, warmup=0)
    assert measured.median < 0.1
    assert measured.p95 >= 0.2
    assert measured.quartiles[0] <= measured.median <= measured.quartiles[1]


def test_no_repeat_begins_when_the_time_is_up() -> None:
    slow = time_action(lambda: time.sleep(0.02), repeats=50, warmup=0, at_most=0.03, fewest=1)
    assert 2 <= len(slow.seconds) < 5
    assert len(time_action(lambda: None, repeats=9, warmup=0, at_most=0.0, fewest=4).seconds) == 4


def test_nothing_to_time_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        time_action(lambda: None, repeats=0, warmup=1)


@given(
    values=st.lists(st.floats(0, 1e6), min_size=1, max_size=30),
    share=st.sampled_from([0.0, 0.5, 0.95, 1.0]),
)
def test_quantile_is_numpys(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(numpy.quantile(values, share))
