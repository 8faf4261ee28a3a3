"""Mean subtraction: embeddings seen from the centre of a set that is named."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.scoring.checks import check_finite_rows, check_same_size, usable_embeddings


def subtract_mean(embeddings: ArrayLike, of: ArrayLike) -> NDArray[np.float32]:
    """Subtracts from every embedding the mean of a set of embeddings.

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
