"""Metrics of a classifier's scores of all classes: top-k accuracy, expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, logsumexp

from harness.metrics.validation import MetricError, check_same_length, check_vector

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


ROW_SUM_TOLERANCE = 1e-4
"""How far an item's probabilities may sum from 1: float32 passes at any number of classes in use,
half precision and logits do not."""


def top_k_accuracy(logits: ArrayLike, labels: ArrayLike, k: int) -> float:
    """Compute the fraction of N items whose true class is among the k greatest logits.

    Args:
        logits: `[N, C]`; anything that orders the classes will do.
        labels: `[N]`, the true class of each item, whole numbers from 0 to C - 1.
        k: from 1 to C - 1.

    Raises:
        MetricError: as `top_k_correct`.

    >>> top_k_accuracy([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]], [2, 2], k=2)
    0.5
    """
    return float(np.mean(top_k_correct(logits, labels, k)))


def top_k_correct(logits: ArrayLike, labels: ArrayLike, k: int) -> NDArray[np.bool_]:
    """Tell of each item whether fewer than k other classes score as high as the true one.

    A tie is held against the classifier: classes that score the same as the true one all count as
    before it. So the order of the classes does not matter, and logits that are all equal are right
    nowhere, instead of on the classes that happen to be listed first. Without ties, k = 1 is
    plain accuracy.

    Args:
        logits: `[N, C]`, as in `top_k_accuracy`.
        labels: `[N]`, as in `top_k_accuracy`.
        k: from 1 to C - 1; of k = C classes the true one is always one.

    Returns:
        `[N]`, boolean: what `harness.metrics.accuracy.accuracy_interval` takes.

    Raises:
        MetricError: no items, lengths differ, NaN or infinite logits, labels that are no class, or
            k out of its range.

    >>> top_k_correct([[0.0, 2.0, 2.0, 1.0]] * 2, [1, 3], k=2)
    array([ True, False])
    """
    table, true = usable_class_scores(logits, labels, "logits")
    classes = table.shape[1]
    if not 1 <= k < classes:
        raise MetricError(
            f"k is {k} of {classes} classes; want 1 to {classes - 1}, for the true class is always "
            f"one of {classes}"
        )
    at_least_as_high = np.count_nonzero(table >= table[np.arange(len(true)), true, None], axis=1)
    others: NDArray[np.intp] = at_least_as_high - 1
    return others < k


def averaged_logits(
    logits: Sequence[ArrayLike], average: Literal["probabilities", "logits"]
) -> Floats:
    """Average the outputs of several classifiers of the same items.

    Args:
        logits: of each classifier, `[N, C]`.
        average: `logits` as they are, or `probabilities` after a softmax, which one classifier of
            large logits cannot outvote.

    Returns:
        `[N, C]`: mean logits, or the logarithm of mean probabilities, whose softmax these are.

    >>> averaged_logits([[[0.0, 2.0]], [[4.0, 0.0]]], "logits")
    array([[2., 1.]])
    >>> np.exp(averaged_logits([[[0.0, 0.0]], [[99.0, 0.0]]], "probabilities")).round(2)
    array([[0.75, 0.25]])
    """
    stacked = np.stack([np.asarray(each, dtype=np.float64) for each in logits])
    if average == "logits":
        return np.asarray(stacked.mean(axis=0))
    chances = log_softmax(stacked, axis=2)
    return np.asarray(logsumexp(chances, axis=0) - np.log(len(stacked)))


def usable_class_scores(scores: ArrayLike, labels: ArrayLike, what: str) -> tuple[Floats, Codes]:
    """Return what a classifier gave each class, with the true classes, or says why they are none.

    Args:
        scores: `[N, C]`, logits or probabilities.
        labels: `[N]`, the true class of each item, whole numbers from 0 to C - 1.
        what: how an error names the scores, for example `"logits"`.

    Returns:
        `[N, C]`, float64, and `[N]`, intp.

    Raises:
        MetricError: no items, fewer than two classes, lengths differ, NaN or infinite scores, or
            labels that are no class.
    """
    table, true = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if table.ndim != 2 or table.shape[1] < 2:
        raise MetricError(f"{what}: shape {table.shape}, want [items, classes], classes from 2")
    check_vector(true, "labels")
    check_same_length(**{f"items of {what}": table[:, 0], "labels": true})
    bad = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if bad.size:
        raise MetricError(
            f"{what}: {bad.size} of {len(table)} items hold NaN or infinity, the first is item "
            f"{bad[0]}; find what made it, for nothing can be decided from it"
        )
    return table, _usable_codes(true, classes=table.shape[1])


def _usable_codes(labels: NDArray[Any], classes: int) -> Codes:
    if labels.dtype.kind not in "iu":
        raise MetricError(f"labels: dtype {labels.dtype}, want integer class codes")
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        raise MetricError(
            f"labels: {bad.size} of {labels.size} are not from 0 to {classes - 1}, the first is "
            f"{labels[bad[0]]} at position {bad[0]}; code them by the order of the columns"
        )
    return labels.astype(np.intp)


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 15
) -> float:
    """Compute the mean gap between confidence and accuracy, in bins of equal width.

    The confidence of an item is its greatest probability. Bin m of M holds the confidences in
    ((m - 1) / M, m / M]; the error is the sum over bins of |bin| / N * |accuracy - confidence|,
    both averaged over the bin. If several classes share the greatest probability, any of them
    is as good a decision, so the item is right by one over their number when the true class is
    among them: the order of the classes does not matter, and a classifier that always gives every
    class the same is calibrated if all classes are equally frequent.

    The estimate grows as items get fewer a bin; compare it only on the same items and bins.

    Args:
        probabilities: `[N, C]`, rows that sum to 1; of logits, `scipy.special.softmax(x, axis=1)`.
        labels: `[N]`, the true class of each item, whole numbers from 0 to C - 1.
        bins: M.

    Returns:
        From 0 to 1.

    Raises:
        MetricError: no items, lengths differ, labels that are no class, NaN, negative
            probabilities, rows that do not sum to 1, or no bins.

    >>> round(expected_calibration_error([[0.75, 0.25], [0.25, 0.75]], [0, 0]), 6)
    0.25
    """
    found = reliability(probabilities, labels, bins=bins)
    gaps = found.counts * np.abs(found.accuracy - found.confidence)
    return float(gaps.sum() / found.counts.sum())


@dataclass(frozen=True, eq=False)
class Reliability:
    """Items in bins of their confidence, those bins alone that hold any.

    Attributes:
        counts: `[B]`, items of each bin.
        confidence: `[B]`, their mean confidence.
        accuracy: `[B]`, the share of them that is right.
    """

    counts: Floats
    confidence: Floats
    accuracy: Floats


def reliability(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 15) -> Reliability:
    """Compute the points of a reliability diagram; the rules are those of the calibration error.

    A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning",
    ICML 2005.

    Args:
        probabilities, labels, bins: as of `expected_calibration_error`, and its errors.

    >>> reliability([[0.75, 0.25], [0.25, 0.75]], [0, 0]).accuracy
    array([0.5])
    """
    table, true = usable_class_scores(probabilities, labels, "probabilities")
    _check_rows(table)
    if bins < 1:
        raise MetricError(f"{bins} bins hold no confidence; give at least 1")
    confidence = table.max(axis=1)
    # Edges below 1 only: rounding may put a confidence of 1 above the last.
    bin_of = np.searchsorted(np.arange(1, bins) / bins, confidence, side="left")
    counts = np.bincount(bin_of, minlength=bins).astype(np.float64)
    sums = [np.bincount(bin_of, v, bins) for v in (confidence, _right(table, true, confidence))]
    held = counts > 0
    return Reliability(counts[held], *(each[held] / counts[held] for each in sums))


def _right(table: Floats, true: NDArray[np.intp], confidence: Floats) -> Floats:
    """Return `[N]`, 1 for a right decision, 0 for a wrong one, the true class's share of a tie."""
    greatest = table == confidence[:, np.newaxis]
    hit = greatest[np.arange(len(true)), true]
    shares: Floats = hit / np.count_nonzero(greatest, axis=1)
    return shares


def _check_rows(table: Floats) -> None:
    negative = np.flatnonzero((table < 0).any(axis=1))
    if negative.size:
        raise MetricError(
            f"probabilities: {negative.size} of {len(table)} items have a negative one, the first "
            f"is item {negative[0]}; pass logits through scipy.special.softmax(logits, axis=1)"
        )
    sums = table.sum(axis=1)
    bad = np.flatnonzero(np.abs(sums - 1) > ROW_SUM_TOLERANCE)
    if bad.size:
        raise MetricError(
            f"probabilities: {bad.size} of {len(table)} items do not sum to 1, the first is item "
            f"{bad[0]} with {sums[bad[0]]:.6g}; take the softmax over classes, in float32 or wider"
        )
