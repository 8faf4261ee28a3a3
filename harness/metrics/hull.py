"""The convex hull of the ROC: what a detector reaches when its scores are calibrated at best."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from harness.metrics.eer import meeting
from harness.metrics.roc import Roc, pieces, roc

Counts = NDArray[np.signedinteger[Any]]


def hull(curve: Roc) -> Roc:
    """Keeps the points of a ROC that are corners of its convex hull, the least errors reachable.

    Both ends, accepting all and rejecting all, are always corners. Corners bound the blocks that
    pooling adjacent violators makes of the scores, and are found so (T. Fawcett and
    A. Niculescu-Mizil, "PAV and the ROC convex hull", Machine Learning 68, 2007). Three corners may
    lie on one line where rounding parts what is equal; no rate or cost on the hull is changed by
    that. Time grows as the number of points, and little memory is needed beside the curve.

    Args:
        curve: `[K]`, every threshold, as `roc` gives it.

    >>> hull(roc([0.9, 0.8, 0.3], [0.7, 0.2, 0.1])).thresholds
    array([0.1, 0.3, 0.8, inf])
    """
    parts = [
        step.start + _corners(curve.misses[_ends(step)], curve.false_alarms[_ends(step)])
        for step in pieces(len(curve.thresholds) - 1)
    ]
    # A corner of the whole is a corner of its part, and the parts leave few.
    few = curve.at(np.unique(np.concatenate(parts)))
    return few.at(_corners(few.misses, few.false_alarms))


def eer_hull(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> float:
    """Computes the equal error rate of the ROC's convex hull: where it meets miss = false alarm.

    It never exceeds `eer`, nor 0.5: the hull of a detector worse than chance is the line from
    accepting all to rejecting all, as is that of scores that are all equal. N. Brummer and
    E. de Villiers, "The BOSARIS Toolkit user guide" (2011), call it ROCCH-EER.

    Args:
        target_scores: `[T]`.
        nontarget_scores: `[N]`.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.

    >>> eer_hull([0.9, 0.8, 0.3], [0.7, 0.2, 0.1])
    0.16666666666666666
    >>> eer_hull([0.1], [0.9])
    0.5
    """
    corners = hull(roc(target_scores, nontarget_scores))
    targets, nontargets = corners.all_targets, corners.all_nontargets
    # Python integers: the products of counts leave int32, and are exact.
    misses = [int(count) for count in corners.misses]
    false_alarms = [int(count) for count in corners.false_alarms]
    gaps = [m * nontargets - f * targets for m, f in zip(misses, false_alarms, strict=True)]
    upper = next(index for index, gap in enumerate(gaps) if gap >= 0)
    lower = upper - 1
    return meeting((misses[lower], misses[upper]), (gaps[lower], gaps[upper]), targets)


def _ends(step: slice) -> slice:
    """The points at both ends of all steps: one more than there are steps."""
    return slice(step.start, step.stop + 1)


def _corners(misses: Counts, false_alarms: Counts) -> NDArray[np.intp]:
    """Positions of the hull's corners among points, with the first and the last."""
    targets = np.diff(misses).astype(np.float64)
    trials = targets - np.diff(false_alarms)
    blocks = isotonic_regression(targets / trials, weights=trials).blocks
    return np.asarray(blocks, dtype=np.intp)
