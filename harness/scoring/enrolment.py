"""Enrolment of a model from several utterances."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError, check_vector
from harness.scoring.checks import Floats, check_finite_rows, usable_embeddings

EnrolmentRule = Literal["average", "concatenate"]
"""How several utterances make one model: `average` takes the mean of their embeddings
(`average_by_model`), `concatenate` joins their audio before the network, which is a corpus's
matter. The two give different error rates: a table says which one it used."""


def average_by_model(
    embeddings: ArrayLike, model_of_row: ArrayLike, models: ArrayLike
) -> NDArray[np.float32]:
    """Computes the mean of every model's embeddings, with equal weights and as they are.

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
    _refuse(_twice(wanted), "are named twice", "name each once")
    _refuse(np.setdiff1d(wanted, owners), "have no embedding", "embed theirs, or leave them out")
    _refuse(np.setdiff1d(owners, wanted), "are not in models", "name them, or leave their rows out")


def _twice(names: NDArray[Any]) -> NDArray[Any]:
    distinct, counts = np.unique(names, return_counts=True)
    return np.asarray(distinct[counts > 1])


def _refuse(names: NDArray[Any], what: str, mend: str) -> None:
    if names.size:
        first = names.tolist()[0]
        raise MetricError(f"{names.size} models {what}, the first is {first!r}; {mend}")
