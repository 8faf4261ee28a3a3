"""The DET curve against the normal distribution, and what thinning may leave out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from harness.metrics.roc import Roc, det, roc, thin
from harness.metrics.validation import MetricError

Floats = NDArray[np.float64]

SIDE = st.lists(st.integers(-20, 20), min_size=1, max_size=30)


def drawn(seed: int, targets: int = 400, nontargets: int = 1600) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.52, 0.16, targets), rng.normal(0.12, 0.11, nontargets)


def points(curve: Roc) -> list[tuple[float, int, int]]:
    columns = (curve.thresholds.tolist(), curve.misses.tolist(), curve.false_alarms.tolist())
    return list(zip(*columns, strict=True))


@given(SIDE, SIDE)
def test_det_is_the_normal_quantile_half_a_trial_inside(
    targets: list[int], nontargets: list[int]
) -> None:
    curve = roc(targets, nontargets)
    lines = det(curve)
    for got, rates, count in (
        (lines.miss, curve.miss_rates, len(targets)),
        (lines.false_alarm, curve.false_alarm_rates, len(nontargets)),
    ):
        drawn_at = np.where(rates == 0, 0.5 / count, np.where(rates == 1, 1 - 0.5 / count, rates))
        np.testing.assert_allclose(norm.cdf(got), drawn_at, rtol=1e-12)


def test_det_of_normal_scores_is_a_straight_line() -> None:
    rng = np.random.default_rng(1)
    lines = det(roc(rng.normal(2, 1, 50_000), rng.normal(0, 1, 50_000)))
    middle = np.abs(lines.miss - lines.false_alarm) < 2
    np.testing.assert_allclose((lines.miss + lines.false_alarm)[middle], -2, atol=0.05)


@pytest.mark.parametrize("limit", [4, 5, 100, 4000])
@pytest.mark.parametrize("sides", [(200, 30_000), (15_000, 15_000), (1, 20_000), (20_000, 1)])
def test_thinned_points_bound_those_left_out(sides: tuple[int, int], limit: int) -> None:
    curve = roc(*drawn(3, *sides))
    few = thin(curve, limit)
    assert len(few.thresholds) <= limit
    assert set(points(few)) <= set(points(curve))
    assert points(few)[0] == points(curve)[0]
    assert points(few)[-1] == points(curve)[-1]
    kept = np.searchsorted(curve.thresholds, few.thresholds)
    skips = kept[:-1][np.diff(kept) > 1]
    ends = kept[1:][np.diff(kept) > 1]
    whole = det(curve)
    rates = curve.miss_rates - curve.false_alarm_rates
    probits = whole.miss - whole.false_alarm
    part = 2 / (limit // 2)
    assert np.all(rates[ends] - rates[skips] <= 2 * part + 1e-12)
    assert np.all(probits[ends] - probits[skips] <= part * (probits[-1] - probits[0]) + 1e-12)


def test_thinning_leaves_a_short_curve_alone_and_refuses_a_tiny_limit() -> None:
    curve = roc([0.9, 0.3], [0.3, 0.1])
    assert thin(curve) is curve
    with pytest.raises(MetricError, match="limit is 3"):
        thin(curve, 3)


def test_thinned_area_is_nearly_the_whole() -> None:
    targets, nontargets = drawn(4, 20_000, 200_000)
    labels = np.repeat([1, 0], [len(targets), len(nontargets)])
    scores = np.r_[targets, nontargets]
    few = thin(roc(targets, nontargets), 1000)
    area = np.trapezoid(1 - few.miss_rates[::-1], few.false_alarm_rates[::-1])
    assert area == pytest.approx(roc_auc_score(labels, scores), abs=1e-5)
