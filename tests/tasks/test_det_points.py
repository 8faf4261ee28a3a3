"""Points of a DET curve against counting them one threshold at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.interpolate import interp1d
from scipy.optimize import brentq

from harness.metrics.detection import eer
from harness.metrics.operating_point import OperatingPoint
from harness.records.details_schema import Det, significant
from harness.tasks import trial_metrics
from harness.tasks.trial_metrics import POINTS, det_points

POINT = OperatingPoint(0.05)
SIDE = arrays(np.float32, st.integers(1, 400), elements=st.integers(-30, 30))


def counted(targets: np.ndarray, nontargets: np.ndarray) -> set[tuple[float, float]]:
    """False alarms and misses at every threshold that makes a difference."""
    limits = [*np.concatenate([targets, nontargets]), np.inf]
    return {
        (significant((nontargets >= limit).mean()), significant((targets < limit).mean()))
        for limit in limits
    }


def drawn_eer(curve: Det) -> float:
    """Where the line through the points meets the diagonal."""
    line = interp1d(np.subtract(curve.miss, curve.false_alarm), curve.miss)
    return float(line(0.0))


def normal(count: int, mean: float, seed: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).normal(mean, 1, count).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(SIDE, SIDE)
def test_every_point_is_one_of_the_curve_in_order(
    targets: np.ndarray, nontargets: np.ndarray
) -> None:
    found = det_points((targets, nontargets), POINT)
    points = list(zip(found.false_alarm, found.miss, strict=True))
    assert set(points) <= counted(targets, nontargets)
    assert points[0] == (1.0, 0.0)
    assert points[-1] == (0.0, 1.0)
    assert sorted(found.false_alarm, reverse=True) == list(found.false_alarm)
    assert sorted(found.miss) == list(found.miss)
    assert len(points) <= POINTS
    assert (found.targets, found.nontargets) == (len(targets), len(nontargets))


@settings(deadline=None, max_examples=60)
@given(SIDE, SIDE)
def test_the_cheapest_point_costs_as_little_as_any(
    targets: np.ndarray, nontargets: np.ndarray
) -> None:
    cheapest = det_points((targets, nontargets), POINT).min_dcf
    costs = [0.05 * miss + 0.95 * alarm for alarm, miss in counted(targets, nontargets)]
    assert 0.05 * cheapest.miss + 0.95 * cheapest.false_alarm == pytest.approx(min(costs), rel=1e-4)


def test_a_short_curve_is_told_whole() -> None:
    targets, nontargets = normal(40, 1, 0), normal(60, 0, 1)
    found = det_points((targets, nontargets), POINT)
    points = set(zip(found.false_alarm, found.miss, strict=True))
    assert points == counted(targets, nontargets)


@pytest.mark.parametrize("distance", [0.0, 0.5, 2.0, 4.0, 8.0])
@pytest.mark.parametrize("sizes", [(3, 20_000), (2_000, 30_000), (5_000, 50)])
@pytest.mark.parametrize("points", [POINTS, 30])
def test_a_thinned_curve_keeps_the_error_rate(
    monkeypatch: pytest.MonkeyPatch, distance: float, sizes: tuple[int, int], points: int
) -> None:
    monkeypatch.setattr(trial_metrics, "POINTS", points)
    sides = normal(sizes[0], distance, 2), normal(sizes[1], 0, 3)
    found = det_points(sides, POINT)
    assert len(found.miss) <= points
    assert drawn_eer(found) == pytest.approx(eer(*sides).value, rel=1e-5, abs=1e-6)


def test_a_thinned_curve_lies_near_the_one_of_normal_scores() -> None:
    sides = normal(20_000, 2.0, 4), normal(40_000, 0.0, 5)
    found = det_points(sides, POINT)
    assert len(found.miss) > POINTS / 2
    alarms, misses = np.array(found.false_alarm[::-1]), np.array(found.miss[::-1])
    for rate in (0.01, 0.05, 0.2, 0.5):
        limit = brentq(lambda x, rate=rate: (sides[1] >= x).mean() - rate, -4, 6, xtol=1e-4)
        wanted = (sides[0] < limit).mean()
        assert np.interp(rate, alarms, misses) == pytest.approx(wanted, abs=0.01)
