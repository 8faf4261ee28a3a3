"""Forecasts: exact where a curve is exact, and as wide as they say where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from docs.simulation.health.futures import Future, holds
from harness.health.forecast import forecast_curve, usual_times
from harness.health.validation_curves import Curve


def curve(values: np.ndarray, metric: str = "eer") -> Curve:
    steps = np.arange(1, len(values) + 1)
    return Curve(f"Test/{metric}", metric, steps.astype(float), values, steps, "epoch")


@pytest.mark.parametrize("family", ["power", "exponential"])
def test_a_clean_curve_of_either_family_is_continued(family: str):
    time = np.arange(1.0, 41)
    way = time**-0.7 if family == "power" else np.exp(-time / 8)
    values = 0.05 + 0.3 * way + 1e-4 * np.random.default_rng(1).standard_normal(40)
    (one,) = forecast_curve(curve(values[:20]), [40.0])
    assert one.value == pytest.approx(values[-1], abs=6e-3)
    assert one.low <= one.value <= one.high


def test_the_interval_holds_about_eight_of_ten():
    found = np.concatenate([holds(Future("either", 20, 1.5, rho), 150, 3) for rho in (0.0, 0.4)])
    share = np.nanmean(found[:, 0])
    # The standard error of 300 curves is 2.3 in 100.
    assert 0.75 - 0.05 < share < 0.85 + 0.05


def test_nothing_is_forecast_of_few_values_or_of_a_curve_that_turns_round():
    falling = np.linspace(0.4, 0.2, 7)
    assert forecast_curve(curve(falling), [10.0]) == ()
    turning = np.concatenate([np.linspace(0.4, 0.1, 10), np.linspace(0.1, 0.3, 20)])
    assert forecast_curve(curve(turning), usual_times(curve(turning))) == ()


def test_rates_stay_rates_and_the_same_seed_gives_the_same():
    values = np.maximum(0.0, 0.3 - 0.03 * np.arange(10)) + 0.01 * np.array([1, -1] * 5)
    one = curve(np.clip(values, 0, 1))
    found = forecast_curve(one, usual_times(one))
    assert found == forecast_curve(one, usual_times(one))
    assert all(0 <= each.low <= each.value <= each.high <= 1 for each in found)
    assert [each.at.number for each in found] == [12.0, 15.0, 20.0]
