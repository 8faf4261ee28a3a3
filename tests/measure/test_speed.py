"""Timers."""

from __future__ import annotations

import time

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.speed import latency, median_seconds, quantile


def test_warmup_runs_and_is_not_timed() -> None:
    naps = iter([0.2, 0.2, 0.01, 0.01, 0.01])
    assert 0.01 <= median_seconds(lambda: time.sleep(next(naps)), repeats=3, warmup=2) < 0.15
    assert next(naps, None) is None


def test_latency_tells_the_slow_ones_apart() -> None:
    naps = iter([0.001] * 17 + [0.2] * 3)
    measured = latency(lambda: time.sleep(next(naps)), repeats=20, warmup=0)
    assert measured.p50 < 0.1
    assert measured.p95 >= 0.2


def test_nothing_to_time_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        median_seconds(lambda: None, repeats=0, warmup=1)


@given(
    values=st.lists(st.floats(0, 1e6), min_size=1, max_size=30),
    share=st.sampled_from([0.0, 0.5, 0.95, 1.0]),
)
def test_quantile_is_numpys(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(numpy.quantile(values, share))
