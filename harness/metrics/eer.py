"""The equal error rate: where the miss rate and the false-alarm rate meet."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.sides import usable_sides
from harness.metrics.window import Bounds, Window, cut, sketch

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class EqualErrorRate:
    """An equal error rate.

    Attributes:
        value: the rate, a fraction from 0 to 1.
        threshold: the observed score at which, accepting scores >= it, the miss and false-alarm
            rates are nearest to each other (the lower one where two are as near); always finite.
    """

    value: float
    threshold: float


def eer(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> EqualErrorRate:
    """Computes the equal error rate by a straight line between two points of the ROC.

    A trial is accepted when its score >= the threshold. Trials of one score are accepted together,
    so the order of the trials is of no matter. The line is drawn between the last point where the
    miss rate is below the false-alarm rate and the first where it is not: the rule of the NIST
    SRE16 scoring script, but with ties grouped. All counts are integers, so no rounding builds up.
    Where all scores are equal the rate is 0.5.

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
    rate = meeting((lower.misses, upper.misses), (lower.gap, upper.gap), window.all_targets)
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
    """Tells whether the gap is below 0 at the window's first threshold, and not at its last."""
    kind = window.targets.dtype.type
    starts = math.isinf(bounds.low) or _at(window, kind(bounds.low)).gap < 0
    return starts and _at(window, kind(window.high)).gap >= 0


def _first_not_below(window: Window) -> _Point:
    """The lowest threshold whose miss rate is at least its false-alarm rate; at worst +inf."""
    thresholds: list[np.floating[Any]] = [window.targets.dtype.type(window.high)]
    for side in (window.targets, window.nontargets):
        index = _first_in(side, window)
        thresholds.extend(side[index : index + 1])
    return _at(window, min(thresholds))


def _first_in(side: Floats, window: Window) -> int:
    """Bisects one sorted side for the position of its first score with gap >= 0."""

    def gap(position: int) -> int:
        return _at(window, side[position]).gap

    return bisect_left(range(len(side)), 0, key=gap)


def _last_before(window: Window, threshold: np.floating[Any]) -> _Point:
    """The point of the highest score under `threshold`; there is one, as the lowest has gap < 0."""
    scores: list[np.floating[Any]] = []
    for side in (window.targets, window.nontargets):
        index = int(np.searchsorted(side, threshold))
        scores.extend(side[max(index - 1, 0) : index])
    return _at(window, max(scores))


def meeting(misses: tuple[int, int], gaps: tuple[int, int], targets: int) -> float:
    """Computes the miss rate where a line between two points of a ROC has gap 0.

    Args:
        misses: of the point below the meeting, and of the one above.
        gaps: of the same points, (miss rate - false-alarm rate) * T * N: integers, divided once.
        targets: T.
    """
    (few, many), (below, above) = misses, gaps
    return (few * above - many * below) / ((above - below) * targets)
