"""Agreement of clusters with the true labels of their items, whatever the clusters are called.

Labels and clusters may be anything that can be hashed (names, numbers, tuples). All metrics here
run up to 1, and do not change when labels or clusters are renamed.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, fowlkes_mallows_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from harness.metrics.validation import check_none, check_same_length, check_vector

Names = Sequence[Hashable] | NDArray[Any]
Codes = NDArray[np.intp]


def normalised_mutual_information(labels: Names, clusters: Names) -> float:
    """Compute NMI: mutual information over the arithmetic mean of the two entropies.

    One label and one cluster give 1; one cluster for several labels, or one label in several
    clusters, gives 0. It is not corrected for chance: more clusters read higher.

    Raises:
        MetricError: no items, lengths differ, or NaN.

    >>> normalised_mutual_information(["ann", "ann", "bob", "bob"], [7, 7, 3, 3])
    1.0
    """
    value = normalized_mutual_info_score(*_usable(labels, clusters), average_method="arithmetic")
    return float(np.clip(value, 0.0, 1.0))  # rounding steps over the ends


def adjusted_rand_index(labels: Names, clusters: Names) -> float:
    """Compute ARI: agreement over all pairs of items, corrected for chance.

    About 0 for random clusters, and below it for worse (down to -0.5). One label and one cluster
    give 1; one cluster for several labels, or one label in several clusters, gives 0.

    Source: L. Hubert and P. Arabie, "Comparing partitions", Journal of Classification 2, 1985.

    Raises:
        MetricError: no items, lengths differ, or NaN.

    >>> adjusted_rand_index(["ann", "ann", "bob", "bob"], [0, 1, 0, 1])
    -0.5
    """
    return float(adjusted_rand_score(*_usable(labels, clusters)))


def fowlkes_mallows(labels: Names, clusters: Names) -> float:
    """Compute the geometric mean of precision and recall over pairs of items put together.

    One label and one cluster give 1 (from two items on). If labels or clusters put no two items
    together it is 0, though they be the same. It is not corrected for chance: one cluster for all
    reads well above 0.

    Source: E. B. Fowlkes and C. L. Mallows, "A method for comparing two hierarchical clusterings",
    Journal of the American Statistical Association 78, 1983.

    Raises:
        MetricError: no items, lengths differ, or NaN.

    >>> round(fowlkes_mallows(["ann", "ann", "bob", "bob"], [0, 0, 0, 0]), 6)
    0.57735
    """
    return float(fowlkes_mallows_score(*_usable(labels, clusters)))


def clustering_accuracy(labels: Names, clusters: Names) -> float:
    """Compute accuracy when each cluster stands for the label that serves the whole best.

    A label is given to one cluster at most, and a cluster one label at most, so that the number of
    items that agree is the greatest (linear assignment on the table of counts). Clusters beyond
    the number of labels are all wrong, as are labels beyond the number of clusters. One cluster
    gives the share of the most frequent label.

    Raises:
        MetricError: no items, lengths differ, or NaN.

    >>> clustering_accuracy(["ann", "ann", "bob", "bob"], [1, 1, 0, 2])
    0.75
    """
    table = _table(labels, clusters)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / table.sum())


def purity(labels: Names, clusters: Names) -> float:
    """Compute the share of items that carry the most frequent label of their cluster.

    It rises with the number of clusters, to 1 for a cluster an item: publish it beside that number
    only. One cluster gives the share of the most frequent label.

    Raises:
        MetricError: no items, lengths differ, or NaN.

    >>> purity(["ann", "ann", "bob", "bob"], [1, 1, 0, 2])
    1.0
    """
    table = _table(labels, clusters)
    return float(table.max(axis=0).sum() / table.sum())


def _table(labels: Names, clusters: Names) -> NDArray[np.int64]:
    """Count items by label (row) and cluster (column)."""
    return np.asarray(contingency_matrix(*_usable(labels, clusters)), dtype=np.int64)


def _usable(labels: Names, clusters: Names) -> tuple[Codes, Codes]:
    true, found = _codes(labels, "labels"), _codes(clusters, "clusters")
    check_same_length(labels=true, clusters=found)
    return true, found


def _codes(names: Names, what: str) -> Codes:
    """Number distinct names from 0, in the order they come."""
    if isinstance(names, np.ndarray):
        check_vector(names, what)
    values: list[Hashable] = names.tolist() if isinstance(names, np.ndarray) else list(names)
    # NaN is the one name that differs from itself: each would be a cluster of its own.
    bad = np.array([value != value for value in values], dtype=np.bool_)  # noqa: PLR0124
    check_none(bad, what, "NaN", "name every item's, or leave the item out")
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.intp)
    check_vector(codes, what)
    return codes
