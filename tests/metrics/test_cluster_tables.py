"""Scores from tables against scikit-learn on the items, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, fowlkes_mallows_score, normalized_mutual_info_score

from harness.metrics.cluster_tables import (
    SCORES,
    assignment,
    counts_by_unit,
    left_one_out,
    score_intervals,
)
from harness.metrics.clustering import clustering_accuracy
from harness.metrics.validation import MetricError

REFERENCES = {
    "nmi": normalized_mutual_info_score,
    "ari": adjusted_rand_score,
    "cluster_accuracy": clustering_accuracy,
    "fmi": fowlkes_mallows_score,
}


def drawn(seed: int, items: int = 90, agree: float = 0.6):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, items)
    clusters = np.where(rng.random(items) < agree, labels + 10, rng.integers(0, 6, items))
    return labels, clusters, rng.integers(0, 12, items)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("seed", range(4))
def test_a_table_scores_as_its_items_do(name, seed):
    labels, clusters, units = drawn(seed)
    table = counts_by_unit(labels, clusters, units).sum(axis=0)
    assert SCORES[name](table) == pytest.approx(REFERENCES[name](labels, clusters), abs=1e-12)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(
    ("labels", "clusters"),
    [([0, 0, 0, 0], [1, 1, 1, 1]), ([0, 0, 1, 1], [0, 0, 0, 0]), ([0, 1, 2, 3], [3, 2, 1, 0])],
)
def test_the_ends_are_those_of_the_definitions(name, labels, clusters):
    arrays = np.array(labels), np.array(clusters), np.arange(4)
    table = counts_by_unit(*arrays).sum(axis=0)
    assert SCORES[name](table) == pytest.approx(REFERENCES[name](*arrays[:2]), abs=1e-12)


def test_a_unit_left_out_is_the_rest_scored_anew():
    labels, clusters, units = drawn(5)
    found = left_one_out(counts_by_unit(labels, clusters, units))
    for name, reference in REFERENCES.items():
        for value, unit in zip(found[name], np.unique(units), strict=True):
            rest = units != unit
            assert value == pytest.approx(reference(labels[rest], clusters[rest]), abs=1e-12)


def test_intervals_hold_the_estimate_and_narrow_with_units():
    few, many = drawn(1, 100), drawn(1, 1600)
    counts = [counts_by_unit(*each[:2], np.arange(len(each[0])) // 4) for each in (few, many)]
    widths = []
    for each in counts:
        found = score_intervals(each, resamples=200, seed=0)
        for name, interval in found.items():
            assert interval.low <= float(SCORES[name](each.sum(axis=0))) <= interval.high
        widths.append(found["nmi"].high - found["nmi"].low)
    assert widths[1] < widths[0] / 2


def test_clusters_that_are_worse_than_chance_have_an_interval():
    labels, clusters = np.tile([0, 0, 1, 1], 6), np.tile([0, 1, 0, 1], 6)
    found = score_intervals(counts_by_unit(labels, clusters, np.arange(24)), resamples=50, seed=0)
    assert -1 <= found["ari"].low < 0 < found["ari"].high


def test_one_unit_is_refused():
    counts = counts_by_unit(np.array([0, 1]), np.array([0, 1]), np.array([3, 3]))
    with pytest.raises(MetricError, match="units"):
        score_intervals(counts, resamples=10, seed=0)
    with pytest.raises(MetricError, match="units"):
        left_one_out(counts)


def test_a_label_beyond_the_clusters_stands_for_none():
    assert assignment(np.array([[5, 0], [4, 1], [0, 9]])).tolist() == [0, -1, 1]
