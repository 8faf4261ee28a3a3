"""The two sides of a detector's trials, as the metrics of this room take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.errors import MetricError, check_same_length, usable_scores

Floats = NDArray[np.floating[Any]]


def ascending(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> tuple[Floats, Floats]:
    """Sorts each side, and brings both to one dtype.

    A side that is ascending already is returned as it is, without a copy: sort once, and every
    metric asked after that is fast.

    Args:
        target_scores: `[T]`; float32 and float64 stay as they are, all else becomes float64.
        nontarget_scores: `[N]`.

    Returns:
        Targets `[T]` and nontargets `[N]`, ascending.

    Raises:
        MetricError: an empty side, more than one dimension, or NaN or infinite scores.

    >>> ascending([0.9, 0.2], [0.3, 0.1])
    (array([0.2, 0.9]), array([0.1, 0.3]))
    """
    targets, nontargets = usable_sides(target_scores, nontarget_scores)
    return _ascending(targets), _ascending(nontargets)


def usable_sides(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> tuple[Floats, Floats]:
    """Brings both sides to one dtype, in the order they came in.

    Args:
        target_scores: `[T]`; float32 and float64 stay as they are, all else becomes float64.
        nontarget_scores: `[N]`.

    Raises:
        MetricError: an empty side, more than one dimension, or NaN or infinite scores.
    """
    targets = usable_scores(target_scores, "target scores")
    nontargets = usable_scores(nontarget_scores, "nontarget scores")
    # A dtype that differs from the query's would make searchsorted convert the array at every call.
    dtype = np.result_type(targets, nontargets)
    return targets.astype(dtype, copy=False), nontargets.astype(dtype, copy=False)


def part(scores: ArrayLike, is_target: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Parts trials into ascending targets and nontargets; at most the scores once more in memory.

    Args:
        scores: `[trials]`.
        is_target: `[trials]`, boolean.

    Raises:
        MetricError: as `ascending`, or labels that are not boolean or of another length.

    >>> part([0.9, 0.1, 0.2], np.array([True, False, True]))
    (array([0.2, 0.9]), array([0.1]))
    """
    values, labels = np.asarray(scores), usable_labels(is_target)
    check_same_length(scores=values, is_target=labels)
    targets, nontargets = values[labels], values[~labels]
    for side in (targets, nontargets):
        side.sort()
    return ascending(targets, nontargets)


def usable_labels(is_target: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns labels as they are, or says why they are none.

    Raises:
        MetricError: labels that are not boolean.
    """
    labels = np.asarray(is_target)
    if labels.dtype != np.bool_:
        raise MetricError(f"is_target: dtype {labels.dtype}, want bool; pass labels == 1")
    return labels


def _ascending(side: Floats) -> Floats:
    return side if bool(np.all(side[:-1] <= side[1:])) else np.sort(side)
