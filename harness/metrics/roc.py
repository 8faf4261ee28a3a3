"""The ROC: miss and false-alarm counts at every threshold, its area and its points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.errors import MetricError
from harness.metrics.sides import ascending, usable_sides

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
        """How many targets there are."""
        return int(self.misses[-1])

    @property
    def all_nontargets(self) -> int:
        """How many nontargets there are."""
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
        """Keeps some points: positions, ascending; the first and last point must be among them."""
        return Roc(self.thresholds[points], self.misses[points], self.false_alarms[points])


def roc(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> Roc:
    """Counts misses and false alarms at every distinct score and at +inf.

    Trials with score >= threshold are accepted, those of one score together, so the order of the
    trials is of no matter. Where all scores are equal there are two points, accepting and rejecting
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


def auc(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> float:
    """Computes the area under the ROC: how often a target scores above a nontarget, ties half.

    U / (T * N) of H. B. Mann and D. R. Whitney (Annals of Mathematical Statistics 18, 1947), from
    integer counts. Where all scores are equal it is 0.5.

    Args:
        target_scores: `[T]`.
        nontarget_scores: `[N]`.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.

    >>> auc([0.9, 0.3], [0.3, 0.1])
    0.875
    """
    targets, nontargets = ascending(target_scores, nontarget_scores)
    above = int(np.searchsorted(nontargets, targets, side="left").sum())
    not_below = int(np.searchsorted(nontargets, targets, side="right").sum())
    return (above + not_below) / (2 * len(targets) * len(nontargets))


def miss_at_false_alarm(
    target_scores: ArrayLike, nontarget_scores: ArrayLike, false_alarm: float
) -> float:
    """Computes the least miss rate of any threshold whose false-alarm rate is at most that given.

    Nothing is interpolated; with `false_alarm` below 1 / N no nontarget may be accepted. Where all
    scores are equal it is 1, or 0 with `false_alarm` = 1.

    Args:
        target_scores: `[T]`.
        nontarget_scores: `[N]`.
        false_alarm: a rate, from 0 to 1.

    Raises:
        MetricError: an empty side, NaN or infinite scores, or a rate that is none.

    >>> miss_at_false_alarm([0.9, 0.8, 0.3], [0.7, 0.2, 0.1, 0.0], 0.1)
    0.3333333333333333
    """
    if not 0 <= false_alarm <= 1:
        raise MetricError(f"false_alarm is {false_alarm}; give a rate from 0 to 1")
    targets, nontargets = usable_sides(target_scores, nontarget_scores)
    allowed = _allowed(false_alarm, len(nontargets))
    if allowed == len(nontargets):
        return 0.0
    # The threshold must be above the highest nontarget that may not be accepted any more.
    refused = len(nontargets) - 1 - allowed
    return float(np.mean(targets <= np.partition(nontargets, refused)[refused]))


def pieces(length: int) -> Iterator[slice]:
    """Cuts `length` items in slices, at most a 64th of a long list each.

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
    """How many scores of each side are less than each threshold."""
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


def _allowed(rate: float, count: int) -> int:
    """The most trials of `count` whose rate, as divided in floating point, is at most `rate`."""
    whole = int(rate * count)
    return max(k for k in (whole - 1, whole, whole + 1) if k <= count and k / count <= rate)
