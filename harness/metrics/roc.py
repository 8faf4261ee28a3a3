"""The ROC: miss and false-alarm counts at every threshold, and its points on the DET scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from harness.metrics.validation import MetricError, usable_sides

Floats = NDArray[np.floating[Any]]
Counts = NDArray[np.signedinteger[Any]]
Rates = NDArray[np.float64]

PIECE = 2**13
"""How many scores at least are worked on at a time, where whole arrays would fill the memory."""


@dataclass(frozen=True, eq=False)
class Roc:
    """Points of a ROC by ascending threshold, from accepting all to rejecting all.

    Attributes:
        thresholds: `[K]`, in the dtype of the scores; the first is the lowest score, the last +inf.
        misses: `[K]`, how many targets score less than each threshold; from 0 to all.
        false_alarms: `[K]`, how many nontargets score at least each threshold; from all to 0.

    Counts are int32 where they fit: widen them before multiplying one with another.
    """

    thresholds: Floats
    misses: Counts
    false_alarms: Counts

    @property
    def all_targets(self) -> int:
        """Number of targets."""
        return int(self.misses[-1])

    @property
    def all_nontargets(self) -> int:
        """Number of nontargets."""
        return int(self.false_alarms[0])

    @property
    def miss_rates(self) -> Rates:
        """`[K]`, from 0 to 1, computed when asked for."""
        return np.asarray(self.misses / self.all_targets, dtype=np.float64)

    @property
    def false_alarm_rates(self) -> Rates:
        """`[K]`, from 1 to 0, computed when asked for."""
        return np.asarray(self.false_alarms / self.all_nontargets, dtype=np.float64)

    def at(self, points: NDArray[np.intp]) -> Roc:
        """Keep some points: positions, ascending; the first and last point must be among them."""
        return Roc(self.thresholds[points], self.misses[points], self.false_alarms[points])


def roc(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> Roc:
    """Count misses and false alarms at every distinct score and at +inf.

    Trials with score >= threshold are accepted, those of one score together, so the order of the
    trials is of no matter. If all scores are equal there are two points, accepting and rejecting
    all. The curve and what is needed to make it are together less than 4 times the scores in bytes.

    Args:
        target_scores: `[T]`.
        nontarget_scores: `[N]`.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.

    >>> curve = roc([0.9, 0.3], [0.3, 0.1])
    >>> curve.thresholds
    array([0.1, 0.3, 0.9, inf])
    >>> curve.misses.tolist(), curve.false_alarms.tolist()
    ([0, 0, 1, 2], [2, 1, 0, 0])
    """
    targets, nontargets = usable_sides(target_scores, nontarget_scores)
    thresholds = _thresholds(targets, nontargets)
    misses, rejections = _both_below(targets, nontargets, thresholds)
    false_alarms = np.subtract(len(nontargets), rejections, out=rejections)
    return Roc(thresholds, misses, false_alarms)


def pieces(length: int) -> Iterator[slice]:
    """Cut `length` items in slices, at most a 64th of a long list each.

    >>> list(pieces(10000))
    [slice(0, 8192, None), slice(8192, 10000, None)]
    """
    step = max(PIECE, length // 64)
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))


def _thresholds(targets: Floats, nontargets: Floats) -> Floats:
    reject_all = np.array([np.inf], dtype=targets.dtype)
    scores = np.concatenate([targets, nontargets, reject_all])
    scores.sort()
    first = np.ones(len(scores), dtype=np.bool_)
    np.not_equal(scores[1:], scores[:-1], out=first[1:])
    return scores if bool(first.all()) else scores[first]


def _both_below(first: Floats, second: Floats, thresholds: Floats) -> tuple[Counts, Counts]:
    """Count the scores of each side below each threshold."""
    if len(first) < len(second):
        # The longer side goes first: its sorted copy is gone before the second counts are made.
        below_second, below_first = _both_below(second, first, thresholds)
        return below_first, below_second
    return _below(first, thresholds), _below(second, thresholds)


def _below(side: Floats, thresholds: Floats) -> Counts:
    ordered = np.sort(side)
    fits = len(side) <= np.iinfo(np.int32).max
    counts: Counts = np.empty(len(thresholds), dtype=np.int32 if fits else np.int64)
    for piece in pieces(len(thresholds)):
        counts[piece] = np.searchsorted(ordered, thresholds[piece])
    return counts


@dataclass(frozen=True, eq=False)
class DetCoordinates:
    """Coordinates of a DET curve: standard normal quantiles of error rates, each `[K]`."""

    false_alarm: Rates
    miss: Rates


def det(curve: Roc) -> DetCoordinates:
    """Compute the coordinates in which normally distributed scores give a straight line.

    A. Martin et al., "The DET curve in assessment of detection task performance" (Eurospeech 1997).
    A rate of 0 or 1 has no finite quantile. It is drawn half a trial inside, at 0.5 / T or
    1 - 0.5 / T for T trials of the side, so that each point of the ROC has its point here. Thin a
    long curve first.

    >>> det(roc([0.9, 0.3], [0.3, 0.1])).miss.round(3)
    array([-0.674, -0.674,  0.   ,  0.674])
    """
    return DetCoordinates(
        _probits(curve.false_alarms, curve.all_nontargets),
        _probits(curve.misses, curve.all_targets),
    )


def thin(curve: Roc, limit: int = 4000) -> Roc:
    """Keep the points that make a visible difference in a plot; none is moved.

    The way along the curve is measured half in rates and half in the quantiles of `det`, and cut in
    P = limit // 2 parts of one length; of each the first and the last point stay. The points left
    out between two that stay lie in the rectangle of these, whose two sides add up to at most 4 / P
    in rates (of 2 in all) and to 2 / P of the whole way in quantiles.

    Args:
        curve: `[K]`.
        limit: how many points may stay, at least 4; a shorter curve is returned as it is.

    Raises:
        MetricError: a limit under 4.

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
    """Return the place of points along the curve: way in rates plus way in quantiles, 1 each."""
    targets, nontargets = curve.all_targets, curve.all_nontargets
    ends = np.append(points, [0, len(curve.thresholds) - 1])
    misses, false_alarms = curve.misses[ends], curve.false_alarms[ends]
    rates = misses / targets - false_alarms / nontargets
    probits = _probits(misses, targets) - _probits(false_alarms, nontargets)
    start, stop = probits[-2:]
    way: Rates = (rates + 1) / 2 + (probits - start) / (stop - start)
    return way[:-2]


def _first_at(curve: Roc, marks: Rates) -> NDArray[np.intp]:
    """Find the first point at or after each mark of the way, bisecting for all together."""
    low = np.zeros(len(marks), dtype=np.intp)
    high = np.full(len(marks), len(curve.thresholds) - 1, dtype=np.intp)
    for _ in range(len(curve.thresholds).bit_length()):
        middle = (low + high) // 2
        reached = _way(curve, middle) >= marks
        low = np.where(reached, low, np.minimum(middle + 1, high))
        high = np.where(reached, middle, high)
    return high
