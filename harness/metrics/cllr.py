"""The cost of log likelihood ratios, Cllr, and the part of it that no calibration removes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression
from scipy.special import rel_entr

from harness.metrics.detection import meeting
from harness.metrics.roc import Roc, pieces, roc
from harness.metrics.validation import MetricError, check_vector, usable_sides

Floats = NDArray[np.floating[Any]]
Rates = NDArray[np.float64]


def cllr(target_llrs: ArrayLike, nontarget_llrs: ArrayLike) -> float:
    """Computes the cost of log likelihood ratios over all operating points, in bits.

    Half the mean over targets of log2(1 + exp(-llr)), and half the mean over nontargets of
    log2(1 + exp(llr)): N. Brummer and J. du Preez, "Application-independent evaluation of speaker
    detection" (Computer Speech and Language 20, 2006). Ratios that are all 0 tell nothing and cost
    1; there is no upper bound. An infinite ratio costs nothing where it is right and infinitely
    much where it is wrong. Trials of one side are summed in ascending order, whatever order they
    came in.

    Args:
        target_llrs: `[T]`, natural logarithms; cosine scores are none until calibrated.
        nontarget_llrs: `[N]`.

    Raises:
        MetricError: an empty side, or NaN ratios.

    >>> cllr([0.0], [0.0, 0.0])
    1.0
    >>> cllr([1e4], [1e4]) == 5000 / math.log(2)
    True
    """
    targets = _usable_llrs(target_llrs, "target llrs")
    nontargets = _usable_llrs(nontarget_llrs, "nontarget llrs")
    return (_mean_cost(targets, -1.0) + _mean_cost(nontargets, 1.0)) / (2 * math.log(2))


def min_cllr(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> float:
    """Computes the least Cllr that any rising map of the scores gives, in bits: from 0 to 1.

    The map is the one of `pav_llrs`. It is 0 where all targets score above all nontargets, and 1
    where all scores are equal or no threshold does better than chance.

    Args:
        target_scores: `[T]`; any scores, not only log likelihood ratios.
        nontarget_scores: `[N]`.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.

    >>> min_cllr([0.5, 0.5], [0.5])
    1.0
    >>> min_cllr([3.0, 2.0], [1.0])
    0.0
    """
    return min_cllr_of(roc(target_scores, nontarget_scores))


def min_cllr_of(curve: Roc) -> float:
    """Computes `min_cllr` from a ROC that is there already."""
    targets, nontargets = _block_rates(hull(curve))
    both = targets + nontargets
    # A block costs targets * log(both / targets) and its mirror; an empty side of it costs 0.
    saved = float(np.sum(rel_entr(targets, both) + rel_entr(nontargets, both)))
    return max(0.0, -saved) / (2 * math.log(2))


def pav_llrs(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> tuple[Rates, Rates]:
    """Calibrates scores on themselves by the never falling map that gives the least Cllr.

    Pooling adjacent violators, with trials of one score together, parts the scores in blocks; the
    log likelihood ratio of a block is that of its share of the targets to its share of the
    nontargets (Brummer and du Preez 2006, as in `cllr`). It is infinite in the lowest or highest
    block where that holds one side only.

    Args:
        target_scores: `[T]`.
        nontarget_scores: `[N]`.

    Returns:
        Natural logarithms, `[T]` and `[N]`, in the order of the scores.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.

    >>> pav_llrs([0.9, 0.3], [0.7, 0.1])
    (array([inf,  0.]), array([  0., -inf]))
    """
    targets, nontargets = usable_sides(target_scores, nontarget_scores)
    corners = hull(roc(targets, nontargets))
    target_rates, nontarget_rates = _block_rates(corners)
    with np.errstate(divide="ignore"):
        llrs = np.log(target_rates) - np.log(nontarget_rates)
    return _looked_up(targets, corners, llrs), _looked_up(nontargets, corners, llrs)


def _block_rates(corners: Roc) -> tuple[Rates, Rates]:
    """The shares of all targets and of all nontargets that lie between each corner and the next."""
    targets = np.diff(corners.misses) / corners.all_targets
    nontargets = -np.diff(corners.false_alarms) / corners.all_nontargets
    return targets, nontargets


def _looked_up(scores: Floats, corners: Roc, llrs: Rates) -> Rates:
    found = np.empty(len(scores))
    for piece in pieces(len(scores)):
        block = np.searchsorted(corners.thresholds, scores[piece], side="right") - 1
        found[piece] = llrs[block]
    return found


def _mean_cost(llrs: Floats, sign: float) -> float:
    """The mean of log(1 + exp(sign * llr)), without overflow."""
    ordered = np.sort(llrs)
    with np.errstate(over="ignore"):  # a sum beyond float64 is an infinite cost
        total = sum(
            float(np.sum(np.logaddexp(0.0, sign * ordered[piece].astype(np.float64))))
            for piece in pieces(len(ordered))
        )
    return total / len(ordered)


def _usable_llrs(llrs: ArrayLike, what: str) -> Floats:
    """Brings ratios to a floating array that may hold infinities, or says why they are unusable."""
    array = np.asarray(llrs)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    check_vector(array, what)
    if np.isnan(array.min()):
        bad = np.flatnonzero(np.isnan(array))
        raise MetricError(
            f"{what}: {bad.size} of {array.size} are NaN, the first at position {bad[0]}; "
            "find the embedding that made it, or leave the trial out"
        )
    return array


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
