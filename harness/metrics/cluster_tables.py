"""Scores of clusters from tables of counts, many at once: resampled, or with a unit left out.

The four of `harness.metrics.clustering`, which defines them; a test holds the two to one another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from harness.metrics.intervals import Interval, draw_units, half_trial, logit_interval
from harness.metrics.validation import MetricError, check_same_length, check_vector

Floats = NDArray[np.float64]


def counts_by_unit(
    labels: NDArray[Any], clusters: NDArray[Any], units: NDArray[Any]
) -> NDArray[np.int64]:
    """Count items by unit, label and cluster.

    Returns:
        `[S, L, K]`, each in the order of `np.unique`.

    Raises:
        MetricError: no items, or lengths differ.
    """
    check_vector(labels, "labels")
    check_same_length(labels=labels, clusters=clusters, units=units)
    codes = [np.unique(each, return_inverse=True)[1] for each in (units, labels, clusters)]
    counts = np.zeros([int(each.max()) + 1 for each in codes], dtype=np.int64)
    np.add.at(counts, tuple(codes), 1)
    return counts


def nmi_of(tables: NDArray[Any]) -> Floats:
    """Compute NMI (arithmetic mean of the entropies) of tables `[..., L, K]`."""
    shares = tables / tables.sum(axis=(-2, -1), keepdims=True)
    rows, columns = shares.sum(axis=-1), shares.sum(axis=-2)
    of_labels, of_clusters = _entropy(rows), _entropy(columns)
    both = _entropy(shares.reshape(*shares.shape[:-2], -1))
    mean = (of_labels + of_clusters) / 2
    mutual = np.maximum(of_labels + of_clusters - both, 0)
    found = np.where(mean > 0, mutual / np.where(mean > 0, mean, 1), 1.0)
    return np.asarray(np.clip(found, 0, 1))


def ari_of(tables: NDArray[Any]) -> Floats:
    """Compute the adjusted Rand index of tables `[..., L, K]` (Hubert and Arabie, 1985)."""
    together, labels, clusters, every = _pairs(tables)
    chance = labels * clusters / np.maximum(every, 1)
    most = (labels + clusters) / 2
    room = most - chance
    return np.asarray(np.where(room > 0, (together - chance) / np.where(room > 0, room, 1), 1.0))


def fmi_of(tables: NDArray[Any]) -> Floats:
    """Compute the Fowlkes-Mallows index of tables `[..., L, K]`."""
    together, labels, clusters, _ = _pairs(tables)
    mean = np.sqrt(labels * clusters)
    return np.asarray(np.where(mean > 0, together / np.where(mean > 0, mean, 1), 0.0))


def acc_of(tables: NDArray[Any]) -> Floats:
    """Compute accuracy under the best one-to-one assignment of tables `[..., L, K]`."""
    flat = tables.reshape(-1, *tables.shape[-2:])
    found = [_best(table) / table.sum() for table in flat]
    return np.asarray(found, dtype=np.float64).reshape(tables.shape[:-2])


SCORES: dict[str, Callable[[NDArray[Any]], Floats]] = {
    "nmi": nmi_of,
    "ari": ari_of,
    "cluster_accuracy": acc_of,
    "fmi": fmi_of,
}


def score_intervals(
    counts: NDArray[np.int64], *, resamples: int, seed: int, level: float = 0.95
) -> dict[str, Interval]:
    """Compute the confidence interval of each score over resampled units.

    The clusters stay as they are: an interval is of these clusters on other units, not of other
    trainings. That of the adjusted Rand index is made on (1 + ARI) / 2, which has a logit.

    Args:
        counts: `[S, L, K]`.
        resamples: number of draws.
        seed: of the draws.
        level: confidence.

    Raises:
        MetricError: fewer than two units, or no resamples.
    """
    units = len(counts)
    if units < 2:
        raise MetricError(f"{units} units: an interval over units needs at least 2")
    drawn = draw_units(np.random.default_rng(seed), units, resamples)
    tables = (drawn @ counts.reshape(units, -1)).reshape(-1, *counts.shape[1:])
    whole = counts.sum(axis=0)
    found = {}
    for name, score in SCORES.items():
        estimate, replicates = float(score(whole)), score(tables)
        lower = -1.0 if name == "ari" else 0.0
        made = logit_interval(
            (estimate - lower) / (1 - lower),
            (replicates - lower) / (1 - lower),
            units,
            level,
            floor=half_trial(int(whole.sum())),
        )
        found[name] = Interval(*(lower + (1 - lower) * end for end in (made.low, made.high)))
    return found


def left_one_out(counts: NDArray[np.int64]) -> dict[str, Floats]:
    """Compute each score with each unit left out, `[S]`.

    Args:
        counts: `[S, L, K]`.

    Raises:
        MetricError: fewer than two units.
    """
    if len(counts) < 2:
        raise MetricError(f"{len(counts)} units: nothing is left without one")
    without = counts.sum(axis=0) - counts
    return {name: score(without) for name, score in SCORES.items()}


def assignment(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the cluster of each label under the best assignment, `[L]`; -1 for none.

    >>> assignment(np.array([[0, 3], [2, 1], [1, 0]]))
    array([ 1,  0, -1])
    """
    rows, columns = linear_sum_assignment(table, maximize=True)
    found = np.full(len(table), -1, dtype=np.int64)
    found[rows] = columns
    return found


def _best(table: NDArray[Any]) -> float:
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum())


def _entropy(shares: Floats) -> Floats:
    logs = np.log(np.where(shares > 0, shares, 1))
    return np.asarray(-(shares * logs).sum(axis=-1))


def _pairs(tables: NDArray[Any]) -> tuple[Floats, Floats, Floats, Floats]:
    """Count pairs that are together in both, by label, by cluster, and all pairs."""

    def pairs(counts: NDArray[Any]) -> Floats:
        values = counts.astype(np.float64)
        return np.asarray((values * (values - 1) / 2).sum(axis=-1))

    flat = tables.reshape(*tables.shape[:-2], -1)
    items = tables.sum(axis=(-2, -1)).astype(np.float64)
    every = np.asarray(items * (items - 1) / 2)
    return pairs(flat), pairs(tables.sum(axis=-1)), pairs(tables.sum(axis=-2)), every
