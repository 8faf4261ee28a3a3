"""The cost of log likelihood ratios, Cllr, and the part of it that no calibration removes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

from harness.metrics.roc import Roc, pieces, roc
from harness.metrics.validation import check_none, float_vector

Floats = NDArray[np.floating[Any]]
Rates = NDArray[np.float64]


Counts = NDArray[np.signedinteger[Any]]


def cllr(target_llrs: ArrayLike, nontarget_llrs: ArrayLike) -> float:
    """Compute the cost of log likelihood ratios over all operating points, in bits.

    Half the mean over targets of log2(1 + exp(-llr)), and half the mean over nontargets of
    log2(1 + exp(llr)): N. Brummer and J. du Preez, "Application-independent evaluation of speaker
    detection" (Computer Speech and Language 20, 2006). Ratios that are all 0 tell nothing and cost
    1; there is no upper bound. An infinite ratio costs nothing if it is right and infinitely
    much if it is wrong. Trials of one side are summed in ascending order, whatever order they
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
    """Compute the least Cllr that any rising map of the scores gives, in bits: from 0 to 1.

    The map is that of pooling adjacent violators, with trials of one score together. The cost is 0
    if all targets score above all nontargets, and 1 if all scores are equal or no threshold does
    better than chance (Brummer and du Preez 2006, as in `cllr`).

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
    """Compute `min_cllr` from a ROC that is there already."""
    corners = hull(curve)
    targets = np.diff(corners.misses) / corners.all_targets
    nontargets = -np.diff(corners.false_alarms) / corners.all_nontargets
    both = targets + nontargets
    # A block costs targets * log(both / targets) and its mirror; an empty side of it costs 0.
    saved = float(np.sum(rel_entr(targets, both) + rel_entr(nontargets, both)))
    return max(0.0, -saved) / (2 * math.log(2))


def _mean_cost(llrs: Floats, sign: float) -> float:
    """Return the mean of log(1 + exp(sign * llr)), without overflow."""
    ordered = np.sort(llrs)
    with np.errstate(over="ignore"):  # a sum beyond float64 is an infinite cost
        total = sum(
            float(np.sum(np.logaddexp(0.0, sign * ordered[piece].astype(np.float64))))
            for piece in pieces(len(ordered))
        )
    return total / len(ordered)


def _usable_llrs(llrs: ArrayLike, what: str) -> Floats:
    """Return ratios as a floating array, which may hold infinities but no NaN."""
    array = float_vector(llrs, what)
    if np.isnan(array.min()):
        mend = "find the embedding that made it, or leave the trial out"
        check_none(np.isnan(array), what, "NaN", mend)
    return array


def hull(curve: Roc) -> Roc:
    """Keep the points of a ROC that are corners of its convex hull, the least errors reachable.

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
    steps = pieces(len(curve.thresholds) - 1)
    ends = [slice(step.start, step.stop + 1) for step in steps]  # one point more than steps
    parts = [part.start + _corners(curve.misses[part], curve.false_alarms[part]) for part in ends]
    # A corner of the whole is a corner of its part, and the parts leave few.
    few = curve.at(np.unique(np.concatenate(parts)))
    return few.at(_corners(few.misses, few.false_alarms))


def _corners(misses: Counts, false_alarms: Counts) -> NDArray[np.intp]:
    """Return the positions of the hull's corners among points, with the first and the last."""
    # All of `optimize` takes a tenth of a second to load, and a call that plans needs none of it.
    from scipy.optimize import isotonic_regression

    targets = np.diff(misses).astype(np.float64)
    trials = targets - np.diff(false_alarms)
    blocks = isotonic_regression(targets / trials, weights=trials).blocks
    return np.asarray(blocks, dtype=np.intp)
