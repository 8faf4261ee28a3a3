"""What makes an input unusable for a metric, and how that is said."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class MetricError(ValueError):
    """An input from which a metric cannot be computed: what, how many, and the mend."""


def usable_scores(scores: ArrayLike, what: str) -> NDArray[np.floating[Any]]:
    """Returns scores as a one-dimensional floating array, or says why they are unusable.

    Args:
        scores: array-like `[N]`; float32 and float64 stay as they are, all else becomes float64.
        what: how an error names the scores, for example `"target scores"`.

    Raises:
        MetricError: no score, more than one dimension, or a NaN or infinite score.

    >>> usable_scores([1, 2], "target scores")
    array([1., 2.])
    >>> usable_scores([0.5, float("nan")], "target scores")
    Traceback (most recent call last):
    ...
    harness.metrics.errors.MetricError: target scores: 1 of 2 are NaN or infinite, the first at \
position 1; find the embedding that made it, or leave the trial out
    """
    array = np.asarray(scores)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    check_vector(array, what)
    check_finite(array, what)
    return array


def check_vector(array: NDArray[Any], what: str) -> None:
    """Raises MetricError unless `array` has one dimension and at least one value."""
    if array.ndim != 1:
        raise MetricError(f"{what}: shape {array.shape}, want one dimension; pass array.ravel()")
    if array.size == 0:
        raise MetricError(f"{what}: there are none; the trial list needs at least one")


def check_finite(array: NDArray[Any], what: str) -> None:
    """Raises MetricError where `array` `[N]` holds NaN or infinite values."""
    # Least and greatest tell of every NaN and infinity, with no array of answers beside the scores.
    if not array.size or (np.isfinite(array.min()) and np.isfinite(array.max())):
        return
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise MetricError(
            f"{what}: {bad.size} of {array.size} are NaN or infinite, the first at position "
            f"{bad[0]}; find the embedding that made it, or leave the trial out"
        )


def check_same_length(**arrays: NDArray[Any]) -> None:
    """Raises MetricError unless all arrays, named by keyword, have one and the same shape."""
    if len({array.shape for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise MetricError(f"lengths differ: {shapes}; give one value a trial or item")
