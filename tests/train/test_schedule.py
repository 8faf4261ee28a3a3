"""Laws of the schedules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.recipe_tables import LearningRate, Rise
from harness.train.optimization import head_value, learning_rate_factor, rise_factor

SHARES = st.floats(0, 1)
VALUES = st.floats(-100, 100)
COMMON = {"warmup": st.floats(0, 0.99), "final": st.floats(1e-6, 1)}
FALLING = st.builds(
    LearningRate, shape=st.sampled_from(["constant", "cosine", "exponential"]), **COMMON
)
CYCLIC = st.builds(
    LearningRate, shape=st.just("cyclic"), cycles=st.integers(1, 9).map(float), **COMMON
)
RESTARTED = st.builds(
    LearningRate,
    shape=st.just("warm-restarts"),
    cycles=st.integers(1, 9).map(float),
    growth=st.floats(1, 3),
    **COMMON,
)
RATES = FALLING | CYCLIC | RESTARTED
RISES = st.tuples(
    SHARES,
    SHARES,
    st.sampled_from(["linear", "exponential"]),
    st.none() | st.integers(1, 9),
).map(lambda drawn: Rise(start=min(drawn[:2]), end=max(drawn[:2]), shape=drawn[2], stairs=drawn[3]))


@given(RATES, SHARES)
def test_a_rate_stays_between_nothing_and_its_peak(plan: LearningRate, progress: float) -> None:
    assert 0 <= learning_rate_factor(plan, progress) <= 1 + 1e-12


@given(FALLING, SHARES, SHARES)
def test_a_rate_rises_in_the_warm_up_and_never_after(
    plan: LearningRate, one: float, other: float
) -> None:
    early, late = sorted((one, other))
    first, second = learning_rate_factor(plan, early), learning_rate_factor(plan, late)
    if late < plan.warmup:
        assert first <= second
    if early >= plan.warmup:
        assert second <= first + 1e-12


@given(RATES, SHARES)
def test_after_the_warm_up_a_rate_is_never_below_its_final_one(
    plan: LearningRate, progress: float
) -> None:
    if progress >= plan.warmup:
        assert learning_rate_factor(plan, progress) >= plan.final - 1e-12


@given(RATES)
def test_a_rate_begins_and_ends_where_it_is_told_to(plan: LearningRate) -> None:
    last = 1.0 if plan.shape == "constant" else plan.final
    assert learning_rate_factor(plan, 1.0) == pytest.approx(last)
    first = plan.final if plan.shape == "cyclic" else 1.0
    assert learning_rate_factor(plan, plan.warmup) == pytest.approx(first)


@given(RATES)
def test_a_warm_up_leads_from_nothing_to_where_the_shape_begins(plan: LearningRate) -> None:
    if plan.warmup > 1e-6:
        assert learning_rate_factor(plan, 0.0) == 0.0
        there = learning_rate_factor(plan, plan.warmup)
        assert learning_rate_factor(plan, plan.warmup / 2) == pytest.approx(there / 2)


@given(RISES, SHARES, SHARES)
def test_a_rise_never_falls(plan: Rise, one: float, other: float) -> None:
    early, late = sorted((one, other))
    assert 0 <= rise_factor(plan, early) <= rise_factor(plan, late) + 1e-12 <= 1 + 1e-9


@given(RISES)
def test_a_rise_is_nothing_before_and_whole_after(plan: Rise) -> None:
    assert rise_factor(plan, plan.end) == 1.0
    if plan.start < plan.end:
        assert rise_factor(plan, plan.start) == 0.0


@given(RISES, VALUES, VALUES)
def test_a_rise_leads_exactly_from_one_value_to_the_other(
    plan: Rise, low: float, high: float
) -> None:
    told = plan.model_copy(update={"initial_value": low, "final_value": high})
    assert head_value(told, 7.0, plan.end) == high
    if plan.start < plan.end:
        assert head_value(told, 7.0, plan.start) == low


@given(RISES, SHARES, SHARES, st.floats(1, 100))
def test_a_share_and_a_value_say_the_same(
    plan: Rise, initial: float, progress: float, full: float
) -> None:
    by_share = plan.model_copy(update={"initial": initial})
    by_value = plan.model_copy(update={"initial_value": initial * full})
    wanted = head_value(by_share, full, progress)
    assert head_value(by_value, full, progress) == pytest.approx(wanted)
    named = by_share.model_copy(update={"final_value": full})
    assert head_value(named, 1.0, progress) == wanted


def test_a_number_holds_its_value() -> None:
    held = Rise.model_validate(0.5)
    assert {head_value(held, 0.2, step / 7) for step in range(8)} == {0.5}


@pytest.mark.parametrize("shape", ["linear", "exponential"])
def test_stairs_have_the_height_of_their_first_step(shape: str) -> None:
    """Ten equal stairs from step 20 to step 80 of 100: each six steps long."""
    smooth = Rise.model_validate({"shape": shape, "start": 0.2, "end": 0.8})
    stairs = smooth.model_copy(update={"stairs": 10})
    for step in range(20, 80):
        first = step - (step - 20) % 6
        assert rise_factor(stairs, step / 100) == pytest.approx(rise_factor(smooth, first / 100))
    assert rise_factor(stairs, 0.79) < 1 == rise_factor(stairs, 0.8)
