"""Embeddings checked, centred, and averaged by model before they are scored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError, check_vector

Floats = NDArray[np.floating[Any]]


def usable_embeddings(embeddings: ArrayLike, what: str) -> Floats:
    """Return embeddings as a floating `[rows, size]` array, or raise if they are unusable.

    Args:
        embeddings: `[rows, size]`; float32 and float64 stay as they are, all else becomes float32.
        what: their name in an error, for example `"enrol embeddings"`.

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
    """Return row numbers as an integer array, or raise if they are none.

    Args:
        rows: `[N]`, integers.
        count: of the rows that exist.
        what: their name in an error, for example `"enrol rows"`.

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
    """Raise MetricError if a row of `[rows, size]` holds NaN or infinite values."""
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
    """Raise MetricError unless both `[rows, size]` are of one size."""
    if first.shape[1] != second.shape[1]:
        raise MetricError(
            f"{what}: sizes {first.shape[1]} and {second.shape[1]} differ; "
            "give embeddings of one network"
        )


def subtract_mean(embeddings: ArrayLike, of: ArrayLike) -> NDArray[np.float32]:
    """Subtract from every embedding the mean of a set of embeddings.

    The set is the training set, or another that is disjoint from test: the mean of the very items
    that are judged would let each trial see the others.

    Args:
        embeddings: `[rows, size]`.
        of: `[items, size]`, the set.

    Returns:
        `[rows, size]`, float32.

    Raises:
        MetricError: sizes differ, or NaN or infinite values.

    >>> subtract_mean([[1.0, 1.0]], of=[[0.0, 1.0], [1.0, 3.0]])
    array([[ 0.5, -1. ]], dtype=float32)
    """
    values = usable_embeddings(embeddings, "embeddings")
    centre = usable_embeddings(of, "the set whose mean is subtracted")
    check_same_size(values, centre, "embeddings and the set whose mean is subtracted")
    check_finite_rows(values, "embeddings")
    check_finite_rows(centre, "the set whose mean is subtracted")
    mean = centre.mean(axis=0, dtype=np.float64)
    centred: NDArray[np.float32] = np.subtract(values, mean, dtype=np.float32, casting="same_kind")
    return centred


def average_by_model(
    embeddings: ArrayLike, model_of_row: ArrayLike, models: ArrayLike
) -> NDArray[np.float32]:
    """Compute the mean of every model's embeddings, with equal weights and as they are.

    This is one of two rules of enrolment by several utterances; the other joins their audio before
    the network, which is a corpus's matter. The two give different error rates.

    Embeddings are averaged before their length is normalised, so that a longer one weighs more:
    the rule of CN-Celeb's averaged trial list (WeSpeaker, CNC-Eval-Avg).

    Args:
        embeddings: `[rows, size]`.
        model_of_row: `[rows]`, the name of the model each row belongs to.
        models: `[M]`, the names of the models, in the order wanted.

    Returns:
        `[M, size]`, float32.

    Raises:
        MetricError: lengths differ, NaN or infinite values, a model that is named twice or has no
            row, or a row whose model is not named.

    >>> average_by_model([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]], ["a", "a", "b"], ["b", "a"])
    array([[5., 5.],
           [2., 1.]], dtype=float32)
    """
    values = usable_embeddings(embeddings, "enrol embeddings")
    check_finite_rows(values, "enrol embeddings")
    owners, wanted = np.asarray(model_of_row), np.asarray(models)
    _check_names(values, owners, wanted)
    by_model = np.argsort(owners, kind="stable")
    names, starts = np.unique(owners[by_model], return_index=True)
    rows = dict(zip(names.tolist(), np.split(by_model, starts[1:]), strict=True))
    means = np.empty((len(wanted), values.shape[1]), dtype=np.float32)
    for place, name in enumerate(wanted.tolist()):
        means[place] = values[rows[name]].mean(axis=0, dtype=np.float64)
    return means


def _check_names(values: Floats, owners: NDArray[Any], wanted: NDArray[Any]) -> None:
    check_vector(owners, "model_of_row")
    check_vector(wanted, "models")
    if len(owners) != len(values):
        raise MetricError(
            f"{len(values)} enrol embeddings, and model_of_row names {len(owners)}; give one a row"
        )
    distinct, counts = np.unique(wanted, return_counts=True)
    _refuse(distinct[counts > 1], "are named twice", "name each once")
    _refuse(np.setdiff1d(wanted, owners), "have no embedding", "embed theirs, or leave them out")
    _refuse(np.setdiff1d(owners, wanted), "are not in models", "name them, or leave their rows out")


def _refuse(names: NDArray[Any], what: str, mend: str) -> None:
    if names.size:
        first = names.tolist()[0]
        raise MetricError(f"{names.size} models {what}, the first is {first!r}; {mend}")
