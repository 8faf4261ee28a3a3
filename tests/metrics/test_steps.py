"""Steps in a series: against brute force, laws of scale and place, worlds with a known truth."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.steps import FEWEST, Step, best_split, find_steps, last_alone_p, split_p
from harness.metrics.validation import MetricError

SERIES = st.lists(st.integers(-50, 50).map(float), min_size=4, max_size=12)


def deviation(values: list[float]) -> float:
    return sum(abs(value - statistics.median(values)) for value in values)


def by_brute_force(values: list[float]) -> tuple[int, float]:
    """Every split, by the definition."""
    sums = {k: deviation(values[:k]) + deviation(values[k:]) for k in range(2, len(values) - 1)}
    place = min(sums, key=lambda k: (sums[k], k))
    whole = deviation(values)
    if whole == 0:
        return place, 1.0
    return place, whole / sums[place] if sums[place] else math.inf


@given(SERIES)
def test_the_best_split_is_that_of_brute_force(values: list[float]) -> None:
    place, ratio = best_split(values)
    wanted_place, wanted = by_brute_force(values)
    assert place == wanted_place
    assert ratio == pytest.approx(wanted)


@given(SERIES, st.sampled_from([0.25, 2.0, 1024.0]), st.integers(-1000, 1000))
def test_neither_scale_nor_level_matters(values: list[float], scale: float, shift: int) -> None:
    # Powers of two and whole numbers are exact, so ties stay ties.
    assert best_split([scale * value + shift for value in values]) == best_split(values)


@given(SERIES)
def test_up_and_down_are_alike_and_a_split_never_hurts(values: list[float]) -> None:
    assert best_split([-value for value in values]) == best_split(values)
    assert best_split(values)[1] >= 1


def simulated_p(ratio: float, figures: int) -> float:
    """The same chance, from other draws and the definition alone."""
    draws = np.random.default_rng(99).normal(size=(1500, figures)).tolist()
    return statistics.fmean(by_brute_force(series)[1] >= ratio for series in draws)


@pytest.mark.parametrize(("figures", "ratio"), [(7, 2.14), (10, 1.73), (14, 1.4)])
def test_p_values_are_those_of_simulated_noise(figures: int, ratio: float) -> None:
    wanted = simulated_p(ratio, figures)
    assert split_p(ratio, figures) == pytest.approx(wanted, abs=4 * math.sqrt(wanted / 1500))


@pytest.mark.parametrize(("draw", "most"), [("normal", 0.065), ("laplace", 0.05), ("t", 0.05)])
def test_noise_has_steps_at_the_nominal_rate_and_fewer_with_heavy_tails(
    draw: str, most: float
) -> None:
    random = np.random.default_rng(5)
    made = {
        "normal": random.normal(size=(1000, 12)),
        "laplace": random.laplace(size=(1000, 12)),
        "t": random.standard_t(3, size=(1000, 12)),
    }[draw]
    found = statistics.fmean(bool(find_steps(series, 0.05)) for series in made)
    assert found <= most
    assert found > 0.03 or draw != "normal"


@pytest.mark.parametrize("last", [2, 3, 8])
def test_a_planted_step_is_found_where_it_is(last: int) -> None:
    random = np.random.default_rng(6)
    for _ in range(50):
        series = 100 + random.normal(size=20)
        series[20 - last :] -= 12
        (step,) = find_steps(series, 0.001)
        assert step.place == 20 - last
        assert step.before == pytest.approx(np.median(series[: 20 - last]))
        assert step.after == pytest.approx(np.median(series[20 - last :]))
        assert step.p <= 0.001


def test_two_steps_are_found_with_the_levels_between_them() -> None:
    series = [10.0, 10.1, 9.9, 10.0, 10.1, 20.0, 20.1, 19.9, 20.0, 20.1, 19.9, 15.0, 15.1, 15.0]
    found = [(step.place, step.before, step.after) for step in find_steps(series, 0.01)]
    assert found == [(5, 10.0, 20.0), (11, 20.0, 15.0)]


@pytest.mark.parametrize("where", [0, 7, 14])
def test_one_night_alone_is_no_step_wherever_it_is(where: int) -> None:
    series = 100 + np.random.default_rng(8).normal(size=15)
    series[where] -= 60
    assert find_steps(series, 0.05) == []


def test_an_outlier_does_not_hide_a_step() -> None:
    series = 100 + np.random.default_rng(8).normal(size=20)
    series[4] += 30
    series[15:] -= 15
    assert [step.place for step in find_steps(series, 0.001)] == [15]


def test_figures_that_never_vary_have_no_step_until_they_change_for_good() -> None:
    level = [3.5] * 9
    assert find_steps(level, 0.05) == []
    assert find_steps([*level, 3.6], 0.05) == []
    assert [(step.place, step.after) for step in find_steps([*level, 3.6, 3.6], 0.001)] == [
        (9, 3.6)
    ]


def test_few_figures_tell_nothing() -> None:
    assert find_steps([], 0.5) == []
    assert find_steps([1.0, 1.0, 1.0, 1.0, 9.0, 9.0], 0.5) == []
    assert FEWEST == 7
    assert find_steps([1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 9.0], 0.5) == [
        Step(5, 1.0, 9.0, pytest.approx(1e-4, rel=0.01))
    ]


def test_a_last_night_far_from_the_level_is_told_and_a_usual_one_is_not() -> None:
    level = (100 + np.random.default_rng(3).normal(size=14)).tolist()
    assert last_alone_p([*level, 80.0]) < 0.001
    assert last_alone_p([*level, 120.0]) < 0.001
    assert last_alone_p([*level, 100.5]) > 0.3
    assert last_alone_p([5.0] * 8) == 1.0
    assert last_alone_p([*[5.0] * 8, 5.1]) < 0.001


def test_a_last_night_of_noise_is_far_at_the_nominal_rate() -> None:
    random = np.random.default_rng(4)
    far = statistics.fmean(last_alone_p(series) <= 0.05 for series in random.normal(size=(2000, 9)))
    assert far == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 2.0, 3.0], "a series of 3 figures; give 4 or more"),
        ([1.0, math.nan, 3.0, 4.0], "NaN or infinite figures"),
        ([[1.0, 2.0], [3.0, 4.0]], "want one dimension"),
    ],
)
def test_unusable_series_are_refused(values: list[float], said: str) -> None:
    with pytest.raises(MetricError, match=said):
        best_split(values)
    with pytest.raises(MetricError):
        last_alone_p(values)
