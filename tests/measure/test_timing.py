"""Timers."""

from __future__ import annotations

from collections.abc import Callable

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.timing import quantile, repeats_seconds, time_action


def naps(
    monkeypatch: pytest.MonkeyPatch, *seconds: float
) -> tuple[Callable[[], None], list[float]]:
    """An action that takes one of these times after the other, by a clock of its own."""
    clock, left = [0.0], list(seconds)

    def action() -> None:
        clock[0] += left.pop(0)

    monkeypatch.setattr("harness.measure.timing.time.perf_counter", lambda: clock[0])
    return action, left


def test_warmup_runs_and_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    action, left = naps(monkeypatch, 9.0, 9.0, 0.5, 0.5, 0.5)
    assert time_action(action, warmup=2).seconds == (0.5, 0.5, 0.5)
    assert not left


@pytest.mark.parametrize(
    ("each", "repeats"), [(1 / 32, 32), (0.375, 3), (2.5, 3), (3.0, 2), (20.0, 2)]
)
def test_a_figure_takes_a_second_and_three_repeats_of_which_long_ones_are_two(
    monkeypatch: pytest.MonkeyPatch, each: float, repeats: int
) -> None:
    action, _ = naps(monkeypatch, *(99 * [each]))
    assert time_action(action, warmup=0).seconds == repeats * (each,)
    assert repeats_seconds(each) == repeats * each


def test_a_processor_repeats_a_short_action_fifty_times(monkeypatch: pytest.MonkeyPatch) -> None:
    action, _ = naps(monkeypatch, *(99 * [0.001]))
    assert len(time_action(action).seconds) == 50


def test_the_slow_ones_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    action, _ = naps(monkeypatch, *(17 * [0.001]), *(3 * [0.5]))
    measured = time_action(action, warmup=0, at_least=1.5)
    assert measured.median < 0.1
    assert measured.p95 == 0.5
    assert measured.quartiles[0] <= measured.median <= measured.quartiles[1]


def test_a_trial_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    for each, repeats in ((0.001, 3), (0.3, 2), (9.0, 1)):
        action, _ = naps(monkeypatch, *(9 * [each]))
        taken = time_action(action, warmup=0, at_least=0.5, fewest=1, most=3)
        assert taken.seconds == pytest.approx(repeats * (each,))
        assert taken.joules is None


def test_nothing_to_time_is_refused() -> None:
    for how in ({"fewest": 0}, {"most": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            time_action(lambda: None, **how)


@given(
    values=st.lists(st.floats(0, 1e6), min_size=1, max_size=30),
    share=st.sampled_from([0.0, 0.5, 0.95, 1.0]),
)
def test_quantile_is_numpys(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(numpy.quantile(values, share))
