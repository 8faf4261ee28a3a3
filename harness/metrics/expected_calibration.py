"""Expected calibration error: how far a classifier's confidence is from how often it is right.

C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks", ICML
2017, equations 2 and 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.errors import MetricError
from harness.metrics.top_k import usable_class_scores

Floats = NDArray[np.float64]

ROW_SUM_TOLERANCE = 1e-4
"""How far an item's probabilities may sum from 1: float32 passes at any number of classes in use,
half precision and logits do not."""


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 15
) -> float:
    """Computes the mean gap between confidence and accuracy, in bins of equal width.

    The confidence of an item is its greatest probability. Bin m of M holds the confidences in
    ((m - 1) / M, m / M]; the error is the sum over bins of |bin| / N * |accuracy - confidence|,
    both averaged over the bin. Where several classes share the greatest probability, any of them
    is as good a decision, so the item is right by one over their number when the true class is
    among them: the order of the classes does not matter, and a classifier that always gives every
    class the same is calibrated where all classes are equally frequent.

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
    table, true = usable_class_scores(probabilities, labels, "probabilities")
    _check_rows(table)
    if bins < 1:
        raise MetricError(f"{bins} bins hold no confidence; give at least 1")
    confidence = table.max(axis=1)
    gaps = _right(table, true, confidence) - confidence
    # Edges below 1 only: rounding may put a confidence of 1 above the last.
    bin_of = np.searchsorted(np.arange(1, bins) / bins, confidence, side="left")
    return float(np.abs(np.bincount(bin_of, weights=gaps)).sum() / len(true))


def _right(table: Floats, true: NDArray[np.intp], confidence: Floats) -> Floats:
    """How right the decision of each item is: 1, 0, or the true class's share of a tie. `[N]`."""
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
