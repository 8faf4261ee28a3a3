"""Equal error rate and detection cost of a detector, without sorting all of its scores."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.operating_point import OperatingPoint
from harness.metrics.validation import MetricError, usable_sides
from harness.metrics.window import Bounds, Window, cut, sketch

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class EqualErrorRate:
    """An equal error rate.

    Attributes:
        value: the rate, a fraction from 0 to 1.
        threshold: the observed score at which, accepting scores >= it, the miss and false-alarm
            rates are nearest to each other (the lower one if two are as near); always finite.
    """

    value: float
    threshold: float


def eer(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> EqualErrorRate:
    """Compute the equal error rate by a straight line between two points of the ROC.

    A trial is accepted when its score >= the threshold. Trials of one score are accepted together,
    so the order of the trials is of no matter. The line is drawn between the last point where the
    miss rate is below the false-alarm rate and the first where it is not: the rule of the NIST
    SRE16 scoring script, but with ties grouped. All counts are integers, so no rounding builds up.
    If all scores are equal the rate is 0.5.

    Args:
        target_scores: `[T]`, same-speaker trials.
        nontarget_scores: `[N]`, different-speaker trials.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.

    >>> eer([0.9, 0.8, 0.3], [0.7, 0.2, 0.1])
    EqualErrorRate(value=0.3333333333333333, threshold=0.7)
    >>> eer([1.0, 1.0], [1.0])
    EqualErrorRate(value=0.5, threshold=1.0)
    """
    targets, nontargets = usable_sides(target_scores, nontarget_scores)
    bounds = sketch(targets, nontargets).around_eer()
    window = cut(targets, nontargets, bounds)
    if not _meets_in(window, bounds):
        window = cut(targets, nontargets, Bounds())
    upper = _first_not_below(window)
    lower = _last_before(window, upper.threshold)
    nearest = lower if -lower.gap <= upper.gap else upper
    # Integers, divided once: the miss rate where the line between the two points has gap 0.
    missed = lower.misses * upper.gap - upper.misses * lower.gap
    rate = missed / ((upper.gap - lower.gap) * window.all_targets)
    return EqualErrorRate(rate, float(nearest.threshold))


@dataclass(frozen=True)
class _Point:
    """One point of the ROC; gap = (miss rate - false-alarm rate) * T * N, an exact integer."""

    threshold: np.floating[Any]
    misses: int
    gap: int


def _at(window: Window, threshold: np.floating[Any]) -> _Point:
    misses, false_alarms = int(window.misses(threshold)), int(window.false_alarms(threshold))
    gap = misses * window.all_nontargets - false_alarms * window.all_targets
    return _Point(threshold, misses, gap)


def _meets_in(window: Window, bounds: Bounds) -> bool:
    """Return True if the gap is below 0 at the window's first threshold, and not at the last."""
    kind = window.targets.dtype.type
    starts = math.isinf(bounds.low) or _at(window, kind(bounds.low)).gap < 0
    return starts and _at(window, kind(window.high)).gap >= 0


def _first_not_below(window: Window) -> _Point:
    """Find the lowest threshold whose miss rate is at least its false-alarm rate; at worst +inf."""
    thresholds: list[np.floating[Any]] = [window.targets.dtype.type(window.high)]
    for side in (window.targets, window.nontargets):
        index = bisect_left(side, 0, key=lambda score: _at(window, score).gap)
        thresholds.extend(side[index : index + 1])
    return _at(window, min(thresholds))


def _last_before(window: Window, threshold: np.floating[Any]) -> _Point:
    """Find the point of the highest score below `threshold`; the lowest score has gap < 0."""
    scores: list[np.floating[Any]] = []
    for side in (window.targets, window.nontargets):
        index = int(np.searchsorted(side, threshold))
        scores.extend(side[max(index - 1, 0) : index])
    return _at(window, max(scores))


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
    """Compute the least cost over all thresholds, normalised so that it never exceeds 1.

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
    """Compute the cost at a threshold chosen beforehand, normalised as in `min_dcf`.

    It exceeds 1 if the threshold does worse than no decision at all. For scores that are log
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
    """Compute the error rates when scores >= threshold are accepted.

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
    """Find the least cost at the window's thresholds.

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
    """Return the least that any threshold out of the window can cost.

    Below the window there are at least the false alarms of its low end, above it at least the
    misses of its high end.
    """
    c_miss, c_fa = point.weights
    accepted = window.all_nontargets - window.nontargets_below
    missed = window.targets_below + len(window.targets)
    below = math.inf if math.isinf(bounds.low) else c_fa * accepted / window.all_nontargets
    above = math.inf if math.isinf(bounds.high) else c_miss * missed / window.all_targets
    return min(below, above)
