"""The DET curve: a ROC on the scale of the normal distribution, and what a plot needs of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from harness.metrics.errors import MetricError
from harness.metrics.roc import Counts, Rates, Roc


@dataclass(frozen=True, eq=False)
class Det:
    """Coordinates of a DET curve: standard normal quantiles of error rates, each `[K]`."""

    false_alarm: Rates
    miss: Rates


def det(curve: Roc) -> Det:
    """Computes the coordinates in which normally distributed scores give a straight line.

    A. Martin et al., "The DET curve in assessment of detection task performance" (Eurospeech 1997).
    A rate of 0 or 1 has no finite quantile. It is drawn half a trial inside, at 0.5 / T or
    1 - 0.5 / T for T trials of the side, so that each point of the ROC has its point here. Thin a
    long curve first.

    >>> from harness.metrics.roc import roc
    >>> det(roc([0.9, 0.3], [0.3, 0.1])).miss.round(3)
    array([-0.674, -0.674,  0.   ,  0.674])
    """
    return Det(
        _probits(curve.false_alarms, curve.all_nontargets),
        _probits(curve.misses, curve.all_targets),
    )


def thin(curve: Roc, limit: int = 4000) -> Roc:
    """Keeps the points that make a visible difference in a plot; none is moved.

    The way along the curve is measured half in rates and half in the quantiles of `det`, and cut in
    P = limit // 2 parts of one length; of each the first and the last point stay. The points left
    out between two that stay lie in the rectangle of these, whose two sides add up to at most 4 / P
    in rates (of 2 in all) and to 2 / P of the whole way in quantiles.

    Args:
        curve: `[K]`.
        limit: how many points may stay, at least 4; a shorter curve is returned as it is.

    Raises:
        MetricError: a limit under 4.

    >>> from harness.metrics.roc import roc
    >>> len(thin(roc(range(0, 9000), range(-6000, 3000)), limit=100).thresholds) <= 100
    True
    """
    if limit < 4:
        raise MetricError(f"limit is {limit}; a thinned curve needs at least 4 points")
    if len(curve.thresholds) <= limit:
        return curve
    firsts = _first_at(curve, np.linspace(0, 2, limit // 2 + 1)[1:-1])
    ends = np.array([0, len(curve.thresholds) - 1])
    return curve.at(np.unique(np.concatenate([ends, firsts, firsts - 1])))


def _probits(counts: Counts, total: int) -> Rates:
    half = 0.5 / total
    return np.asarray(ndtri(np.clip(counts / total, half, 1 - half)), dtype=np.float64)


def _way(curve: Roc, points: NDArray[np.intp]) -> Rates:
    """How far along the curve points lie: rates, from 0 to 1, and quantiles, from 0 to 1, added."""
    targets, nontargets = curve.all_targets, curve.all_nontargets
    ends = np.append(points, [0, len(curve.thresholds) - 1])
    misses, false_alarms = curve.misses[ends], curve.false_alarms[ends]
    rates = misses / targets - false_alarms / nontargets
    probits = _probits(misses, targets) - _probits(false_alarms, nontargets)
    start, stop = probits[-2:]
    way: Rates = (rates + 1) / 2 + (probits - start) / (stop - start)
    return way[:-2]


def _first_at(curve: Roc, marks: Rates) -> NDArray[np.intp]:
    """The first point at or after each mark of the way, by bisecting for all marks together."""
    low = np.zeros(len(marks), dtype=np.intp)
    high = np.full(len(marks), len(curve.thresholds) - 1, dtype=np.intp)
    for _ in range(len(curve.thresholds).bit_length()):
        middle = (low + high) // 2
        reached = _way(curve, middle) >= marks
        low = np.where(reached, low, np.minimum(middle + 1, high))
        high = np.where(reached, middle, high)
    return high
