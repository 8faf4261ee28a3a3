"""Accuracy, balanced accuracy, F1 and confusion of a classifier, with intervals over units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix, f1_score, recall_score

from harness.metrics.intervals import Interval
from harness.metrics.means import left_one_out_mean, mean_interval
from harness.metrics.validation import MetricError, check_same_length, check_vector

Floats = NDArray[np.float64]


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Compute the fraction of N items whose predicted class is the true one.

    Raises:
        MetricError: no items, or lengths differ.

    >>> accuracy([0, 1, 1, 2], [0, 1, 2, 2])
    0.75
    """
    true, predicted = _usable(labels, predictions)
    return float(np.mean(true == predicted))


def balanced_accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Compute the mean over the classes that occur in `labels` of the recall of each.

    Raises:
        MetricError: no items, or lengths differ.

    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    true, predicted = _usable(labels, predictions)
    # recall_score over the true classes: balanced_accuracy_score warns when others are predicted.
    return float(
        recall_score(true, predicted, labels=np.unique(true), average="macro", zero_division=0)
    )


def macro_f1(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Compute the mean F1 over the classes that occur in `labels` or in `predictions`.

    A class that is never predicted right has F1 = 0.

    Raises:
        MetricError: no items, or lengths differ.

    >>> macro_f1([0, 0, 1, 1], [0, 0, 2, 2])
    0.3333333333333333
    """
    true, predicted = _usable(labels, predictions)
    return float(f1_score(true, predicted, average="macro", zero_division=0))


def confusion(
    labels: ArrayLike, predictions: ArrayLike, classes: Sequence[Any]
) -> NDArray[np.int64]:
    """Count items by true class (row) and predicted class (column), in the order of `classes`.

    Returns:
        `[C, C]`; the sum is N.

    Raises:
        MetricError: no items, lengths differ, or a class that is not in `classes`.

    >>> confusion(["a", "b", "b"], ["a", "a", "b"], ["a", "b"])
    array([[1, 0],
           [1, 1]])
    """
    true, predicted = _usable(labels, predictions)
    unknown = sorted(set(np.union1d(true, predicted).tolist()) - set(classes))
    if unknown:
        raise MetricError(
            f"{len(unknown)} classes are not in classes, the first is {unknown[0]!r}; "
            "give every class that labels or predictions hold"
        )
    return np.asarray(confusion_matrix(true, predicted, labels=list(classes)), dtype=np.int64)


def accuracy_interval(
    correct: NDArray[np.bool_],
    units: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int,
) -> Interval:
    """Compute the confidence interval of accuracy over units by `logit_interval`.

    Args:
        correct: `[N]`, boolean.
        units: `[N]`, the name or code of each item's unit (drawer, object, speaker); items of one
            unit are drawn together. If each item is a unit of its own, give `range(N)`.
        level: confidence.
        resamples: number of draws.
        seed: of the draws.

    Raises:
        MetricError: no items, lengths differ, `correct` is not boolean, no resamples, or fewer
            than two units.

    >>> round(accuracy_interval(np.array([True] * 10), range(10), seed=0).low, 6)
    0.691503
    """
    right, names = _usable_hits(correct, units)
    return mean_interval(right, names, level=level, resamples=resamples, seed=seed)


def left_one_out(correct: NDArray[np.bool_], units: ArrayLike) -> Floats:
    """Compute accuracy with the items of each unit left out.

    Returns:
        `[S]`, in the order of `np.unique(units)`.

    Raises:
        MetricError: no items, lengths differ, `correct` is not boolean, or fewer than two units.

    >>> left_one_out(np.array([True, False, False]), ["ann", "bob", "bob"])
    array([0., 1.])
    """
    return left_one_out_mean(*_usable_hits(correct, units))


def _usable(labels: ArrayLike, predictions: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    true, predicted = np.asarray(labels), np.asarray(predictions)
    check_vector(true, "labels")
    check_same_length(labels=true, predictions=predicted)
    return true, predicted


def _usable_hits(
    correct: NDArray[np.bool_], units: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    right, names = np.asarray(correct), np.asarray(units)
    check_vector(right, "correct")
    check_same_length(correct=right, units=names)
    if right.dtype != np.bool_:
        raise MetricError(f"correct: dtype {right.dtype}, want bool; pass labels == predictions")
    return right, names
