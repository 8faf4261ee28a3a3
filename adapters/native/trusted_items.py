"""k-means, and the densest items of each cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

Points = NDArray[np.float64]

NEAR = tuple(np.arange(0.1, 0.32, 0.02).tolist())
"""Shares of a cluster that may count as the neighbourhood by which density is told."""

RESTARTS = 5
"""Of a k-means that begins without centres."""


def cluster(points: Points, centres: Points | int, seed: int) -> tuple[NDArray[np.int64], Points]:
    """Cluster points by k-means, on one thread: sums of several come in no fixed order.

    Args:
        points: `[items, size]`.
        centres: where to begin, `[clusters, size]`, or how many clusters.
        seed: of the first centres.

    Returns:
        The cluster of each point, and the centres.
    """
    if isinstance(centres, int):
        means = KMeans(min(centres, len(points)), n_init=RESTARTS, random_state=seed)
    else:
        means = KMeans(len(centres), init=centres, n_init=1, random_state=seed)
    with threadpool_limits(1):
        found = means.fit(points)
    return found.labels_.astype(np.int64), np.asarray(found.cluster_centers_, np.float64)


def kept_clusters(points: Points, most: int, seed: int) -> int:
    """Return how many of `most` clusters are of at least mean size, two at least."""
    labels, _ = cluster(points, most, seed)
    counts = np.bincount(labels, minlength=most)
    return max(2, int((counts >= len(points) / most).sum()))


def trusted(
    points: Points, clusters: NDArray[np.int64], share: float, least: int
) -> NDArray[np.bool_]:
    """Choose the densest items of each cluster.

    An item's density is one over its mean distance to its nearest neighbours in the cluster. How
    many count is chosen for each cluster out of `NEAR`: the number whose chosen items lie tightest,
    by their mean distance to the nearest other one (paper, section 3.4).

    Args:
        points: `[items, size]`.
        clusters: of each item.
        share: of each cluster that is chosen.
        least: items of a cluster that are chosen at least, if it has so many.

    Returns:
        A mask, `[items]`.
    """
    chosen = np.zeros(len(points), bool)
    for name in np.unique(clusters):
        rows = np.flatnonzero(clusters == name)
        count = min(len(rows), max(1, least, int(len(rows) * share)))
        if count == len(rows):
            chosen[rows] = True
        else:
            chosen[rows[_densest(points[rows], count)]] = True
    return chosen


def _densest(points: Points, count: int) -> NDArray[np.int64]:
    """Return the places of the densest points; there are more points than `count`."""
    numbers = sorted({max(1, int(len(points) * share)) for share in NEAR})
    most = min(numbers[-1], len(points) - 1)
    with threadpool_limits(1):
        distances, _ = NearestNeighbors(n_neighbors=most).fit(points).kneighbors()
    means = np.cumsum(distances, axis=1) / np.arange(1, most + 1)
    best, tightest = np.arange(count), np.inf
    for number in numbers:
        places = np.argsort(means[:, min(number, most) - 1], kind="stable")[:count]
        apart = _mean_nearest(points[places])
        if apart < tightest:
            best, tightest = places, apart
    return best


def _mean_nearest(points: Points) -> float:
    if len(points) < 2:
        return 0.0
    with threadpool_limits(1):
        distances, _ = NearestNeighbors(n_neighbors=1).fit(points).kneighbors()
    return float(distances.mean())
