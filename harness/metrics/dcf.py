"""The detection cost: misses and false alarms, each at its price and prior probability."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.metrics.errors import MetricError
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.sides import usable_sides
from harness.metrics.window import Bounds, Window, cut, sketch


@dataclass(frozen=True)
class DetectionCost:
    """A normalised minimum cost (0 to 1), and the threshold that gives it (+inf: reject all)."""

    value: float
    threshold: float


@dataclass(frozen=True)
class ErrorRates:
    """Miss and false-alarm rates at one threshold, as fractions."""

    miss: float
    false_alarm: float


def min_dcf(
    target_scores: ArrayLike, nontarget_scores: ArrayLike, point: OperatingPoint
) -> DetectionCost:
    """Computes the least cost over all thresholds, normalised so that it never exceeds 1.

    Cost = c_miss * p * miss + c_fa * (1 - p) * false alarm, divided by min(c_miss * p,
    c_fa * (1 - p)) (NIST SRE16 evaluation plan). Trials with score >= threshold are accepted,
    those of one score together. Accepting all and rejecting all are among the candidates; where
    all scores are equal there is nothing else, and the cost is 1.

    Args:
        target_scores: `[T]`.
        nontarget_scores: `[N]`.
        point: prior and costs.

    Returns:
        The cost, and the lowest threshold that gives it.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.

    >>> min_dcf([0.9, 0.8], [0.1, 0.85], OperatingPoint(p_target=0.01))
    DetectionCost(value=0.5, threshold=0.9)
    """
    targets, nontargets = usable_sides(target_scores, nontarget_scores)
    bounds = sketch(targets, nontargets).around_min_dcf(point)
    window = cut(targets, nontargets, bounds)
    best = _least(window, point)
    if _least_outside(window, bounds, point) <= best.value:
        best = _least(cut(targets, nontargets, Bounds()), point)
    return best


def act_dcf(
    target_scores: ArrayLike,
    nontarget_scores: ArrayLike,
    point: OperatingPoint,
    threshold: float,
) -> float:
    """Computes the cost at a threshold chosen beforehand, normalised as in `min_dcf`.

    It exceeds 1 where the threshold does worse than no decision at all. For scores that are log
    likelihood ratios the threshold is `point.bayes_threshold`.

    Raises:
        MetricError: an empty side, NaN or infinite scores, or a NaN threshold.

    >>> act_dcf([0.9, 0.8], [0.1, 0.85], OperatingPoint(p_target=0.5), 0.9)
    0.5
    """
    rates = error_rates(target_scores, nontarget_scores, threshold)
    c_miss, c_fa = point.weights
    return c_miss * rates.miss + c_fa * rates.false_alarm


def error_rates(
    target_scores: ArrayLike, nontarget_scores: ArrayLike, threshold: float
) -> ErrorRates:
    """Computes the error rates when scores >= threshold are accepted.

    Raises:
        MetricError: an empty side, NaN or infinite scores, or a NaN threshold.

    >>> error_rates([0.9, 0.8], [0.1, 0.85], 0.85)
    ErrorRates(miss=0.5, false_alarm=0.5)
    """
    if math.isnan(threshold):
        raise MetricError("threshold is NaN; give a number, or inf to reject all")
    targets, nontargets = usable_sides(target_scores, nontarget_scores)
    # np.float64, not float: against float32 scores a Python float would be rounded to float32.
    limit = np.float64(threshold)
    return ErrorRates(float(np.mean(targets < limit)), float(np.mean(nontargets >= limit)))


def _least(window: Window, point: OperatingPoint) -> DetectionCost:
    """The least cost at the window's thresholds.

    Between two target scores a higher threshold only rejects nontargets, so the best one is a
    target score. Later ones of a tie are charged too many misses; the first is charged right.
    """
    thresholds = np.append(window.targets, window.targets.dtype.type(window.high))
    misses = window.targets_below + np.arange(len(thresholds))
    c_miss, c_fa = point.weights
    costs = c_miss * (misses / window.all_targets)
    costs += c_fa * (window.false_alarms(thresholds) / window.all_nontargets)
    best = int(np.argmin(costs))
    return DetectionCost(float(costs[best]), float(thresholds[best]))


def _least_outside(window: Window, bounds: Bounds, point: OperatingPoint) -> float:
    """What any threshold out of the window costs at least.

    Below the window there are at least the false alarms of its low end, above it at least the
    misses of its high end.
    """
    c_miss, c_fa = point.weights
    accepted = window.all_nontargets - window.nontargets_below
    missed = window.targets_below + len(window.targets)
    below = math.inf if math.isinf(bounds.low) else c_fa * accepted / window.all_nontargets
    above = math.inf if math.isinf(bounds.high) else c_miss * missed / window.all_targets
    return min(below, above)
