"""Ways to cluster vectors that need no training, all of scikit-learn, each on one thread.

On several threads, sums are added in the order in which threads end, so that bits differ.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Points = NDArray[np.float64]
Clusters = NDArray[np.int64]

NEIGHBOURS = 10
"""Of each point in the graph of spectral clustering."""

LEAST_SHARE = 0.01
"""Of all points: the smallest cluster that HDBSCAN finds, 5 points at least."""

SAMPLED = 2000
"""Points that a silhouette is computed of, at most."""


def _on_one_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def limited(*arguments: Any, **named: Any) -> Any:
        with threadpool_limits(1):
            return function(*arguments, **named)

    return limited


@_on_one_thread
def k_means(points: Points, clusters: int, restarts: int, seed: int) -> Clusters:
    """Cluster by k-means++ (the tightest of some restarts), `[items]`."""
    from sklearn.cluster import KMeans

    found = KMeans(min(clusters, len(points)), n_init=restarts, random_state=seed)
    return np.asarray(found.fit_predict(points), dtype=np.int64)


@_on_one_thread
def agglomerative(points: Points, clusters: int, seed: int) -> Clusters:
    """Cluster by Ward's linkage; nothing in it is random."""
    from sklearn.cluster import AgglomerativeClustering

    del seed
    found = AgglomerativeClustering(min(clusters, len(points))).fit_predict(points)
    return np.asarray(found, dtype=np.int64)


@_on_one_thread
def spectral(points: Points, clusters: int, seed: int) -> Clusters:
    """Cluster by the graph of nearest neighbours."""
    from sklearn.cluster import SpectralClustering

    found = SpectralClustering(
        min(clusters, len(points)),
        affinity="nearest_neighbors",
        n_neighbors=min(NEIGHBOURS, len(points)),
        random_state=seed,
    )
    return np.asarray(found.fit_predict(points), dtype=np.int64)


@_on_one_thread
def gaussian_mixture(points: Points, clusters: int, seed: int) -> Clusters:
    """Cluster by the likeliest of Gaussians with diagonal covariances."""
    from sklearn.mixture import GaussianMixture

    found = GaussianMixture(
        min(clusters, len(points)), covariance_type="diag", reg_covar=1e-4, random_state=seed
    )
    return np.asarray(found.fit_predict(points), dtype=np.int64)


@_on_one_thread
def hdbscan(points: Points, clusters: int, seed: int) -> Clusters:
    """Cluster by density; the number of clusters is found, and noise is one more cluster, -1."""
    from sklearn.cluster import HDBSCAN

    del clusters, seed
    least = max(5, round(LEAST_SHARE * len(points)))
    return np.asarray(HDBSCAN(min_cluster_size=least, copy=True).fit_predict(points), np.int64)


NAMED: dict[str, Callable[[Points, int, int], Clusters]] = {
    "agglomerative": agglomerative,
    "spectral": spectral,
    "Gaussian mixture": gaussian_mixture,
    "HDBSCAN": hdbscan,
}
"""Those beside k-means, by the names of their rows."""


@_on_one_thread
def silhouette(points: Points, clusters: Clusters, seed: int) -> float:
    """Compute the mean silhouette (Rousseeuw, 1987), -1 to 1; 0 where it is not defined.

    No label is in it: how much nearer points are to their own cluster than to the next one. Of more
    than `SAMPLED` points it is that of a sample, always the same.
    """
    from sklearn.metrics import silhouette_score

    if len(points) > SAMPLED:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(points))[:SAMPLED])
        points, clusters = points[chosen], clusters[chosen]
    if not 1 < len(np.unique(clusters)) < len(points):
        return 0.0
    return float(silhouette_score(points, clusters))


def estimate_clusters(points: Points, most: int, restarts: int, seed: int) -> int:
    """Return the number of clusters, 2 to `most`, with the largest mean silhouette of k-means."""
    numbers = range(2, max(2, min(most, len(points) - 1)) + 1)
    scores = [silhouette(points, k_means(points, k, restarts, seed), seed) for k in numbers]
    return numbers[int(np.argmax(scores))]
