"""The equal error rate: where the miss rate and the false-alarm rate meet."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.errors import usable_scores

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
    curve = _curve(target_scores, nontarget_scores)
    upper = _first_not_below(curve)
    lower = _last_before(curve, upper.threshold)
    nearest = lower if -lower.gap <= upper.gap else upper
    return EqualErrorRate(_meeting(lower, upper, len(curve.targets)), float(nearest.threshold))


@dataclass(frozen=True)
class _Point:
    """One point of the ROC; gap = (miss rate - false-alarm rate) * T * N, an exact integer."""

    threshold: np.floating[Any]
    misses: int
    gap: int


@dataclass(frozen=True, eq=False)
class _Curve:
    """The ROC of two sorted sides of one dtype, looked up a point at a time."""

    targets: Floats
    nontargets: Floats

    def at(self, threshold: np.floating[Any]) -> _Point:
        misses = int(np.searchsorted(self.targets, threshold))
        false_alarms = len(self.nontargets) - int(np.searchsorted(self.nontargets, threshold))
        gap = misses * len(self.nontargets) - false_alarms * len(self.targets)
        return _Point(threshold, misses, gap)


def _curve(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> _Curve:
    targets = usable_scores(target_scores, "target scores")
    nontargets = usable_scores(nontarget_scores, "nontarget scores")
    # A dtype that differs from the query's would make searchsorted convert the array at every call.
    dtype = np.result_type(targets, nontargets)
    return _Curve(
        np.sort(targets.astype(dtype, copy=False)), np.sort(nontargets.astype(dtype, copy=False))
    )


def _first_not_below(curve: _Curve) -> _Point:
    """The lowest threshold whose miss rate is at least its false-alarm rate; at worst +inf."""
    thresholds: list[np.floating[Any]] = [curve.targets.dtype.type(np.inf)]
    for side in (curve.targets, curve.nontargets):
        index = _first_in(side, curve)
        thresholds.extend(side[index : index + 1])
    return curve.at(min(thresholds))


def _first_in(side: Floats, curve: _Curve) -> int:
    """Bisects one sorted side for the position of its first score with gap >= 0."""

    def gap(position: int) -> int:
        return curve.at(side[position]).gap

    return bisect_left(range(len(side)), 0, key=gap)


def _last_before(curve: _Curve, threshold: np.floating[Any]) -> _Point:
    """The point of the highest score under `threshold`; there is one, as the lowest has gap < 0."""
    scores: list[np.floating[Any]] = []
    for side in (curve.targets, curve.nontargets):
        index = int(np.searchsorted(side, threshold))
        scores.extend(side[max(index - 1, 0) : index])
    return curve.at(max(scores))


def _meeting(lower: _Point, upper: _Point, targets: int) -> float:
    """The miss rate where the line from lower to upper has gap 0; integers, divided once."""
    missed = lower.misses * upper.gap - upper.misses * lower.gap
    return missed / ((upper.gap - lower.gap) * targets)
