"""The detection cost: misses and false alarms, each at its price and prior probability."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.metrics.errors import MetricError, usable_scores


@dataclass(frozen=True)
class OperatingPoint:
    """Where a detector is used.

    Attributes:
        p_target: prior probability of a target trial, between 0 and 1.
        c_miss: cost of a miss, above 0.
        c_fa: cost of a false alarm, above 0.

    Raises:
        MetricError: a prior or a cost out of its range.
    """

    p_target: float = 0.01
    c_miss: float = 1.0
    c_fa: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.p_target < 1:
            raise MetricError(f"p_target is {self.p_target}; give a value between 0 and 1")
        if not (0 < self.c_miss < math.inf and 0 < self.c_fa < math.inf):
            raise MetricError(
                f"c_miss is {self.c_miss} and c_fa {self.c_fa}; give positive finite costs"
            )

    @property
    def weights(self) -> tuple[float, float]:
        """What a miss rate and a false-alarm rate of 1 cost, over the better of no decision at all.

        >>> OperatingPoint(p_target=0.5, c_fa=3.0).weights
        (1.0, 3.0)
        """
        miss, false_alarm = self.c_miss * self.p_target, self.c_fa * (1 - self.p_target)
        least = min(miss, false_alarm)
        return miss / least, false_alarm / least

    @property
    def bayes_threshold(self) -> float:
        """The threshold that costs least when scores are log likelihood ratios (natural log).

        >>> OperatingPoint(p_target=0.5).bayes_threshold
        0.0
        """
        return math.log(self.c_fa * (1 - self.p_target)) - math.log(self.c_miss * self.p_target)


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
    those of one score together. Accepting all and rejecting all are among the candidates.

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
    targets = np.sort(usable_scores(target_scores, "target scores"))
    nontargets = np.sort(usable_scores(nontarget_scores, "nontarget scores"))
    # Between two target scores a higher threshold only rejects nontargets, so the best one is a
    # target score. Later ones of a tie are charged too many misses; the first is charged right.
    thresholds = np.append(targets, np.inf)
    accepted = len(nontargets) - np.searchsorted(nontargets, thresholds)
    c_miss, c_fa = point.weights
    misses = np.arange(len(thresholds))
    costs = c_miss * (misses / len(targets)) + c_fa * (accepted / len(nontargets))
    best = int(np.argmin(costs))
    return DetectionCost(float(costs[best]), float(thresholds[best]))


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
    targets = usable_scores(target_scores, "target scores")
    nontargets = usable_scores(nontarget_scores, "nontarget scores")
    # np.float64, not float: against float32 scores a Python float would be rounded to float32.
    limit = np.float64(threshold)
    return ErrorRates(float(np.mean(targets < limit)), float(np.mean(nontargets >= limit)))
