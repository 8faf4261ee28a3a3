"""Checks of the arrays that metrics are computed from: scores, labels, both sides of trials."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]


class MetricError(ValueError):
    """An input from which a metric cannot be computed: what, how many, and the mend."""


def usable_scores(scores: ArrayLike, what: str) -> NDArray[np.floating[Any]]:
    """Return scores as a one-dimensional floating array of finite values.

    Args:
        scores: array-like `[N]`; float32 and float64 stay as they are, all else becomes float64.
        what: name of the scores in errors, for example `"target scores"`.

    Raises:
        MetricError: no score, more than one dimension, or a NaN or infinite score.

    >>> usable_scores([1, 2], "target scores")
    array([1., 2.])
    >>> usable_scores([0.5, float("nan")], "target scores")
    Traceback (most recent call last):
    ...
    harness.metrics.validation.MetricError: target scores: 1 of 2 are NaN or infinite, the first \
at position 1; find the embedding that made it, or leave the trial out
    """
    array = float_vector(scores, what)
    check_finite(array, what)
    return array


def float_vector(values: ArrayLike, what: str) -> NDArray[np.floating[Any]]:
    """Return values `[N]`, N from 1, as float32 or float64; all other types become float64.

    Raises:
        MetricError: no value, or more than one dimension.
    """
    array = np.asarray(values)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    check_vector(array, what)
    return array


def check_vector(array: NDArray[Any], what: str) -> None:
    """Raise MetricError unless `array` has one dimension and at least one value."""
    if array.ndim != 1:
        raise MetricError(f"{what}: shape {array.shape}, want one dimension; pass array.ravel()")
    if array.size == 0:
        raise MetricError(f"{what}: there are none; the trial list needs at least one")


def check_finite(array: NDArray[Any], what: str) -> None:
    """Raise MetricError if `array` `[N]` holds NaN or infinite values."""
    # NaN and infinity show in the least and the greatest value: no mask is needed for good scores.
    if not array.size or (np.isfinite(array.min()) and np.isfinite(array.max())):
        return
    check_none(
        ~np.isfinite(array),
        what,
        "NaN or infinite",
        "find the embedding that made it, or leave the trial out",
    )


def check_none(bad: NDArray[np.bool_], what: str, fault: str, mend: str) -> None:
    """Raise MetricError if any value is bad; the message counts them and names the first."""
    places = np.flatnonzero(bad)
    if places.size:
        raise MetricError(
            f"{what}: {places.size} of {bad.size} are {fault}, the first at position {places[0]}; "
            f"{mend}"
        )


def check_same_length(**arrays: NDArray[Any]) -> None:
    """Raise MetricError unless all arrays, named by keyword, have one and the same shape."""
    if len({array.shape for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise MetricError(f"lengths differ: {shapes}; give one value a trial or item")


def usable_sides(target_scores: ArrayLike, nontarget_scores: ArrayLike) -> tuple[Floats, Floats]:
    """Bring both sides to one dtype, in the order they came in.

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


def split_sides(scores: ArrayLike, is_target: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Split trials into ascending targets and nontargets; at most the scores once more in memory.

    Args:
        scores: `[trials]`.
        is_target: `[trials]`, boolean.

    Raises:
        MetricError: as `usable_sides`, or labels that are not boolean or of another length.

    >>> split_sides([0.9, 0.1, 0.2], np.array([True, False, True]))
    (array([0.2, 0.9]), array([0.1]))
    """
    values, labels = np.asarray(scores), usable_labels(is_target)
    check_same_length(scores=values, is_target=labels)
    targets, nontargets = values[labels], values[~labels]
    for side in (targets, nontargets):
        side.sort()
    return usable_sides(targets, nontargets)


def usable_labels(is_target: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return labels as an array.

    Raises:
        MetricError: labels that are not boolean.
    """
    labels = np.asarray(is_target)
    if labels.dtype != np.bool_:
        raise MetricError(f"is_target: dtype {labels.dtype}, want bool; pass labels == 1")
    return labels
