"""What makes embeddings and row numbers unusable for scoring, and how that is said."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError, check_vector

Floats = NDArray[np.floating[Any]]


def usable_embeddings(embeddings: ArrayLike, what: str) -> Floats:
    """Returns embeddings as a floating `[rows, size]` array, or says why they are unusable.

    Args:
        embeddings: `[rows, size]`; float32 and float64 stay as they are, all else becomes float32.
        what: how an error names them, for example `"enrol embeddings"`.

    Raises:
        MetricError: not two dimensions, or nothing in one of them.

    >>> usable_embeddings([[1, 2]], "cohort").dtype
    dtype('float32')
    """
    array = np.asarray(embeddings)
    if array.ndim != 2 or array.size == 0:
        raise MetricError(f"{what}: shape {array.shape}, want [rows, size] with at least 1 of each")
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32)
    return array


def usable_rows(rows: ArrayLike, count: int, what: str) -> NDArray[np.integer[Any]]:
    """Returns row numbers as an integer array, or says why they are none.

    Args:
        rows: `[N]`, integers.
        count: of the rows that exist.
        what: how an error names them, for example `"enrol rows"`.

    Raises:
        MetricError: none, not integers, or a row that does not exist (a negative one included).

    >>> usable_rows([0, 5], 3, "test rows")
    Traceback (most recent call last):
    ...
    harness.metrics.validation.MetricError: test rows: 1 of 2 are outside 0 to 2, the first is 5 \
at position 1; give rows of the embeddings that are passed
    """
    array = np.asarray(rows)
    check_vector(array, what)
    if not np.issubdtype(array.dtype, np.integer):
        raise MetricError(f"{what}: dtype {array.dtype}, want integers; pass rows.astype(int)")
    if array.min() < 0 or array.max() >= count:
        bad = np.flatnonzero((array < 0) | (array >= count))
        raise MetricError(
            f"{what}: {bad.size} of {array.size} are outside 0 to {count - 1}, the first is "
            f"{array[bad[0]]} at position {bad[0]}; give rows of the embeddings that are passed"
        )
    return array


def check_finite_rows(embeddings: Floats, what: str) -> None:
    """Raises MetricError where a row of `[rows, size]` holds NaN or infinite values."""
    # NaN and infinity survive a sum; finite float32 values cannot overflow one in float64.
    with np.errstate(invalid="ignore"):  # inf - inf
        sums = embeddings.sum(axis=1, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(sums))
    if bad.size:
        raise MetricError(
            f"{what}: {bad.size} of {len(embeddings)} rows hold NaN or infinite values, the first "
            f"is row {bad[0]}; find the item that made it, or leave it out"
        )


def check_same_size(first: Floats, second: Floats, what: str) -> None:
    """Raises MetricError unless both `[rows, size]` are of one size."""
    if first.shape[1] != second.shape[1]:
        raise MetricError(
            f"{what}: sizes {first.shape[1]} and {second.shape[1]} differ; "
            "give embeddings of one network"
        )
