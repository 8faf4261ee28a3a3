"""Cosine similarity of embeddings, by blocked matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError
from harness.scoring.checks import Floats, check_same_size, usable_embeddings

BLOCK_ROWS = 2048
"""Rows of a block: a product of two blocks is then 16 MiB of float32."""
BLOCK_VALUES = 1 << 21
"""Values of a block at most (8 MiB of float32), whatever the size of an embedding."""


def unit_length(embeddings: ArrayLike, what: str = "embeddings") -> NDArray[np.float32]:
    """Scales every embedding to length 1.

    Args:
        embeddings: `[rows, size]`.
        what: how an error names them.

    Returns:
        `[rows, size]`, float32.

    Raises:
        MetricError: as `lengths`.

    >>> unit_length([[3.0, 4.0]])
    array([[0.6, 0.8]], dtype=float32)
    """
    values = usable_embeddings(embeddings, what)
    norms = lengths(values, what)
    unit = np.empty(values.shape, dtype=np.float32)
    for block in row_blocks(values):
        unit[block] = scaled(values[block], norms[block])
    return unit


def cosine_matrix(enrol: ArrayLike, test: ArrayLike) -> NDArray[np.float32]:
    """Computes the cosine of every enrol embedding with every test embedding.

    Beside the result it holds some 40 MiB, however many embeddings there are. Rounding may carry
    a cosine some 1e-7 beyond 1.

    Args:
        enrol: `[E, size]`.
        test: `[T, size]`.

    Returns:
        `[E, T]`, float32.

    Raises:
        MetricError: sizes differ, or as `lengths`.

    >>> cosine_matrix([[2.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])
    array([[0.6, 0. ]], dtype=float32)
    """
    enrols = usable_embeddings(enrol, "enrol embeddings")
    tests = usable_embeddings(test, "test embeddings")
    check_same_size(enrols, tests, "enrol and test embeddings")
    enrol_norms, test_norms = lengths(enrols, "enrol embeddings"), lengths(tests, "test embeddings")
    matrix = np.empty((len(enrols), len(tests)), dtype=np.float32)
    for rows in row_blocks(enrols):
        unit = scaled(enrols[rows], enrol_norms[rows])
        for columns in row_blocks(tests):
            matrix[rows, columns] = unit @ scaled(tests[columns], test_norms[columns]).T
    return matrix


def lengths(
    embeddings: Floats, what: str, used: NDArray[np.integer[Any]] | None = None
) -> NDArray[np.float32]:
    """Computes the Euclidean length of every embedding.

    Args:
        embeddings: `[rows, size]`.
        what: how an error names them.
        used: the rows that must have a direction; all of them where None.

    Returns:
        `[rows]`, float32.

    Raises:
        MetricError: a used row has length 0, or holds NaN or infinite values.
    """
    norms = np.empty(len(embeddings), dtype=np.float32)
    for block in row_blocks(embeddings):
        values = embeddings[block].astype(np.float64)  # squares of float32 may overflow float32
        with np.errstate(over="ignore", invalid="ignore"):
            norms[block] = np.sqrt(np.einsum("ij,ij->i", values, values))
    _check_directions(norms, what, np.arange(len(norms)) if used is None else used)
    return norms


def scaled(embeddings: Floats, norms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divides each of a block of embeddings `[rows, size]` by its length `[rows]`."""
    unit: NDArray[np.float32] = embeddings.astype(np.float32, copy=False) / norms[:, None]
    return unit


def block_rows(size: int) -> int:
    """Returns how many embeddings of a size make a block.

    >>> block_rows(192), block_rows(1 << 20)
    (2048, 2)
    """
    return max(1, min(BLOCK_ROWS, BLOCK_VALUES // size))


def row_blocks(embeddings: Floats) -> Iterator[slice]:
    """Yields the blocks of rows of `[rows, size]`, in order."""
    step = block_rows(embeddings.shape[1])
    for start in range(0, len(embeddings), step):
        yield slice(start, start + step)


def _check_directions(
    norms: NDArray[np.float32], what: str, used: NDArray[np.integer[Any]]
) -> None:
    asked = norms[used]
    bad = used[~((asked > 0) & (asked < np.inf))]
    if bad.size:
        raise MetricError(
            f"{what}: {bad.size} of {used.size} have length 0, or NaN or infinite values, and so "
            f"no direction; the first is row {bad[0]}; find the item that made it, or leave it out"
        )
