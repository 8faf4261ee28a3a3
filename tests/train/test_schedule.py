"""Laws of the schedules."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.schema import LearningRate, Rise
from harness.train import schedule
from harness.train.schedule import learning_rate_factor, rise_factor

SHARES = st.floats(0, 1)
RATES = st.builds(
    LearningRate,
    shape=st.sampled_from(["constant", "cosine", "exponential"]),
    warmup=st.floats(0, 0.99),
    final=st.floats(1e-6, 1),
)
RISES = st.tuples(SHARES, SHARES, st.sampled_from(["linear", "exponential"])).map(
    lambda drawn: Rise(start=min(drawn[:2]), end=max(drawn[:2]), shape=drawn[2])
)


def test_the_examples_in_the_source() -> None:
    result = doctest.testmod(schedule)
    assert result.attempted > 0
    assert result.failed == 0


@given(RATES, SHARES)
def test_a_rate_stays_between_nothing_and_its_peak(plan: LearningRate, progress: float) -> None:
    assert 0 <= learning_rate_factor(plan, progress) <= 1 + 1e-12


@given(RATES, SHARES, SHARES)
def test_a_rate_rises_in_the_warm_up_and_never_after(
    plan: LearningRate, one: float, other: float
) -> None:
    early, late = sorted((one, other))
    first, second = learning_rate_factor(plan, early), learning_rate_factor(plan, late)
    if late < plan.warmup:
        assert first <= second
    if early >= plan.warmup:
        assert second <= first + 1e-12
        assert second >= plan.final - 1e-12


@given(RATES)
def test_a_rate_ends_where_it_is_told_to(plan: LearningRate) -> None:
    last = 1.0 if plan.shape == "constant" else plan.final
    assert learning_rate_factor(plan, 1.0) == pytest.approx(last)
    assert learning_rate_factor(plan, plan.warmup) == pytest.approx(1.0)


@given(RISES, SHARES, SHARES)
def test_a_rise_never_falls(plan: Rise, one: float, other: float) -> None:
    early, late = sorted((one, other))
    assert 0 <= rise_factor(plan, early) <= rise_factor(plan, late) + 1e-12 <= 1 + 1e-9


@given(RISES)
def test_a_rise_is_nothing_before_and_whole_after(plan: Rise) -> None:
    assert rise_factor(plan, plan.end) == 1.0
    if plan.start < plan.end:
        assert rise_factor(plan, plan.start) == 0.0
