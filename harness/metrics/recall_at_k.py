"""Recall@K of a retrieval: is one of the K nearest items of the same label?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.validation import MetricError

AT_A_TIME = 1024
"""Queries whose similarities are computed together."""


def recall_at_k(
    embeddings: NDArray[np.floating[Any]], labels: NDArray[Any], ks: Sequence[int]
) -> tuple[dict[int, float], int]:
    """Compute Recall@K of every item against all others, by cosine.

    An item is a query if another one has its label; the gallery is all items but itself. A query
    is found at K if one of its K nearest items at least has its label (H. Oh Song et al., "Deep
    metric learning via lifted structured feature embedding", CVPR 2016, section 5). Of items that
    are equally near to a query those of other labels come first, so that equal embeddings find
    nothing.

    Args:
        embeddings: `[N, size]`.
        labels: `[N]`.
        ks: numbers of nearest items, each at least 1.

    Returns:
        K -> share of the queries found, and the number of queries.

    Raises:
        MetricError: no two items share a label, or a K is under 1.

    >>> recall_at_k(np.array([[1, 0], [1, 0.1], [0, 1.0]]), np.array(["a", "a", "b"]), [1])
    ({1: 1.0}, 2)
    """
    if min(ks, default=1) < 1:
        raise MetricError(f"K is {min(ks)}; it counts nearest items, so give 1 or more")
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    queries = np.flatnonzero(counts[codes] > 1)
    if not len(queries):
        raise MetricError("no two items are of one label, so there is nothing to find")
    unit = unit_vectors(embeddings)
    ranks = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), AT_A_TIME):
        own = queries[start : start + AT_A_TIME]
        near = unit[own] @ unit.T
        same = codes[own][:, None] == codes
        near[np.arange(len(own)), own] = -np.inf
        best = np.where(same, near, -np.inf).max(axis=1, keepdims=True)
        ranks[start : start + len(own)] = ((near >= best) & ~same).sum(axis=1)
    return {k: float((ranks < k).mean()) for k in ks}, len(queries)


def unit_vectors(embeddings: NDArray[Any]) -> NDArray[np.float64]:
    """Return embeddings brought to length 1, `[items, size]`; one of length 0 stays as it is."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.asarray(embeddings, np.float64)
    return unit / np.where(lengths > 0, lengths, 1)
