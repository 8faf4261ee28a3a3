"""Cosine similarity of embeddings: of all pairs by blocked matrix products, of a trial list.

Of a list, a pair of blocks of embeddings is multiplied out if its trials are at least one in
`CELLS_PER_TRIAL` of its cells; else each trial's two embeddings are looked up and multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError, check_same_length
from harness.scoring.preparation import Floats, check_same_size, usable_embeddings, usable_rows

BLOCK_ROWS = 2048
"""Rows of a block: a product of two blocks is then 16 MiB of float32."""
BLOCK_VALUES = 1 << 21
"""Values of a block at most (8 MiB of float32), whatever the size of an embedding."""


CELLS_PER_TRIAL = 64
"""Looking up one trial's embeddings costs as much time as so many cells of a matrix product."""
TRIALS_AT_ONCE = 1 << 21
LOOKUPS_AT_ONCE = 1 << 18
ROW_VALUES = 1 << 18
"""Values of the embeddings that are looked up at once (1 MiB of float32: a processor's cache)."""

Rows = NDArray[np.integer[Any]]


def unit_length(embeddings: ArrayLike, what: str = "embeddings") -> NDArray[np.float32]:
    """Scale every embedding to length 1.

    Args:
        embeddings: `[rows, size]`.
        what: their name in an error.

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
        unit[block] = scale_rows(values[block], norms[block])
    return unit


def cosine_matrix(enrol: ArrayLike, test: ArrayLike) -> NDArray[np.float32]:
    """Compute the cosine of every enrol embedding with every test embedding.

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
        unit = scale_rows(enrols[rows], enrol_norms[rows])
        for columns in row_blocks(tests):
            matrix[rows, columns] = unit @ scale_rows(tests[columns], test_norms[columns]).T
    return matrix


def lengths(
    embeddings: Floats, what: str, used: NDArray[np.integer[Any]] | None = None
) -> NDArray[np.float32]:
    """Compute the Euclidean length of every embedding.

    Args:
        embeddings: `[rows, size]`.
        what: their name in an error.
        used: the rows that must have a direction; None for all.

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
    asked = np.arange(len(norms)) if used is None else used
    bad = asked[~((norms[asked] > 0) & (norms[asked] < np.inf))]
    if bad.size:
        raise MetricError(
            f"{what}: {bad.size} of {asked.size} have length 0, or NaN or infinite values, and so "
            f"no direction; the first is row {bad[0]}; find the item that made it, or leave it out"
        )
    return norms


def scale_rows(embeddings: Floats, norms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each of a block of embeddings `[rows, size]` by its length `[rows]`."""
    unit: NDArray[np.float32] = embeddings.astype(np.float32, copy=False) / norms[:, None]
    return unit


def block_rows(size: int) -> int:
    """Return the number of embeddings of a size in a block.

    >>> block_rows(192), block_rows(1 << 20)
    (2048, 2)
    """
    return max(1, min(BLOCK_ROWS, BLOCK_VALUES // size))


def row_blocks(embeddings: Floats) -> Iterator[slice]:
    """Yield the blocks of rows of `[rows, size]`, in order."""
    step = block_rows(embeddings.shape[1])
    for start in range(0, len(embeddings), step):
        yield slice(start, start + step)


def cosine_of_trials(
    enrol_embeddings: ArrayLike, test_embeddings: ArrayLike, enrol_rows: Rows, test_rows: Rows
) -> NDArray[np.float32]:
    """Compute the cosine of every trial's two embeddings.

    Trials may come in any order and more than once. Beside arguments and result it holds some
    64 MiB, however long the list. Embeddings that no trial names are not looked at. The two ways
    of multiplying, and blocks of different shapes, round differently: some 1e-7.

    Args:
        enrol_embeddings: `[E, size]`.
        test_embeddings: `[T, size]`; may be the same array.
        enrol_rows: `[trials]`, each trial's row of `enrol_embeddings`.
        test_rows: `[trials]`, each trial's row of `test_embeddings`.

    Returns:
        `[trials]`, float32.

    Raises:
        MetricError: no trials, sizes or lengths differ, a row that does not exist, or an embedding
            of a trial that has length 0 or NaN or infinite values.

    >>> cosine_of_trials([[2.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]], [0, 0], [1, 0])
    array([0. , 0.6], dtype=float32)
    """
    enrol = _side(enrol_embeddings, enrol_rows, "enrol")
    test = _side(test_embeddings, test_rows, "test")
    check_same_length(enrol_rows=enrol.rows, test_rows=test.rows)
    check_same_size(enrol.embeddings, test.embeddings, "enrol and test embeddings")
    scores = np.empty(len(enrol.rows), dtype=np.float32)
    for start in range(0, len(scores), TRIALS_AT_ONCE):
        chunk = slice(start, start + TRIALS_AT_ONCE)
        left = replace(enrol, rows=enrol.rows[chunk])
        _score(left, replace(test, rows=test.rows[chunk]), scores[chunk])
    return scores


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of some trials: embeddings `[E, size]`, their lengths, each trial's row `[N]`."""

    embeddings: Floats
    norms: NDArray[np.float32]
    rows: Rows

    def unit(self, rows: Rows) -> NDArray[np.float32]:
        """Return embeddings of unit length."""
        return scale_rows(self.embeddings[rows], self.norms[rows])


@dataclass(frozen=True, eq=False)
class _Blocks:
    """The rows that occur on one side of some trials, ascending, in blocks.

    Attributes:
        side: the side.
        occurring: `[O]`, rows.
        place: `[E]`, the position of each row among those that occur.
        size: rows of a block.
    """

    side: _Side
    occurring: Rows
    place: NDArray[np.int32]
    size: int

    @property
    def count(self) -> int:
        """The number of blocks."""
        return -(-len(self.occurring) // self.size)

    def of_trials(self) -> NDArray[np.int32]:
        """Return the block of each trial, `[N]`."""
        return self.place[self.side.rows] // np.int32(self.size)

    def rows(self, block: int) -> Rows:
        """Return the rows of one block."""
        return self.occurring[block * self.size : (block + 1) * self.size]

    def within(self, trials: Rows, block: int) -> NDArray[np.int32]:
        """Return the positions in their block of some trials' rows."""
        return self.place[self.side.rows[trials]] - np.int32(block * self.size)


def _side(embeddings: ArrayLike, rows: ArrayLike, what: str) -> _Side:
    values = usable_embeddings(embeddings, f"{what} embeddings")
    places = usable_rows(rows, len(values), f"{what} rows")
    used = np.flatnonzero(np.bincount(places))
    return _Side(values, lengths(values, f"{what} embeddings", used), places)


def _blocks(side: _Side) -> _Blocks:
    occurs = np.bincount(side.rows) > 0
    place = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    size = block_rows(side.embeddings.shape[1])
    return _Blocks(side, np.flatnonzero(occurs), place, size)


def _score(enrol_side: _Side, test_side: _Side, scores: NDArray[np.float32]) -> None:
    """Write the scores of trials that are few enough to be ordered in memory."""
    enrol, test = _blocks(enrol_side), _blocks(test_side)
    for pair, trials in _by_pair(enrol, test):
        enrol_block, test_block = divmod(pair, test.count)
        cells = len(enrol.rows(enrol_block)) * len(test.rows(test_block))
        if cells > CELLS_PER_TRIAL * len(trials):
            _look_up(enrol_side, test_side, trials, scores)
            continue
        rows, columns = enrol.rows(enrol_block), test.rows(test_block)
        matrix = enrol_side.unit(rows) @ test_side.unit(columns).T
        for some in _parts(trials, LOOKUPS_AT_ONCE):
            within = enrol.within(some, enrol_block), test.within(some, test_block)
            scores[some] = matrix[within]


def _by_pair(enrol: _Blocks, test: _Blocks) -> Iterator[tuple[int, Rows]]:
    """Yield each pair of blocks that has trials, and their positions."""
    pairs = enrol.count * test.count
    # The fewest bits that hold a pair's number: NumPy sorts 16 bits and fewer by counting.
    kind = np.min_scalar_type(pairs)
    pair = enrol.of_trials().astype(kind) * kind.type(test.count) + test.of_trials().astype(kind)
    order = np.argsort(pair, kind="stable")
    ends = np.cumsum(np.bincount(pair, minlength=pairs))
    for number, end in enumerate(ends.tolist()):
        start = int(ends[number - 1]) if number else 0
        if start < end:
            yield number, order[start:end]


def _look_up(enrol: _Side, test: _Side, trials: Rows, scores: NDArray[np.float32]) -> None:
    for some in _parts(trials, max(1, ROW_VALUES // enrol.embeddings.shape[1])):
        left, right = enrol.unit(enrol.rows[some]), test.unit(test.rows[some])
        scores[some] = np.einsum("ij,ij->i", left, right)


def _parts(trials: Rows, step: int) -> Iterator[Rows]:
    for start in range(0, len(trials), step):
        yield trials[start : start + step]
