"""Cluster metrics against counts of pairs, entropies written out, and every assignment tried."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Hashable
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.clustering import (
    adjusted_rand_index,
    clustering_accuracy,
    fowlkes_mallows,
    normalised_mutual_information,
    purity,
)
from harness.metrics.validation import MetricError

METRICS = [
    adjusted_rand_index,
    clustering_accuracy,
    fowlkes_mallows,
    normalised_mutual_information,
    purity,
]
ITEMS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 4)), min_size=2, max_size=15)


def pair_counts(labels: list[str], clusters: list[int]) -> tuple[int, int, int, int]:
    """Pairs together in both, in labels, in clusters; and all."""
    pairs = list(combinations(range(len(labels)), 2))
    by_label = [labels[i] == labels[k] for i, k in pairs]
    by_cluster = [clusters[i] == clusters[k] for i, k in pairs]
    both = sum(a and b for a, b in zip(by_label, by_cluster, strict=True))
    return both, sum(by_label), sum(by_cluster), len(pairs)


def entropy(names: list[Hashable]) -> float:
    rates = [count / len(names) for count in Counter(names).values()]
    return -sum(rate * math.log(rate) for rate in rates)


@given(ITEMS)
def test_metrics_over_pairs(items: list[tuple[str, int]]) -> None:
    labels, clusters = (list(column) for column in zip(*items, strict=True))
    both, in_labels, in_clusters, pairs = pair_counts(labels, clusters)
    chance, most = in_labels * in_clusters / pairs, (in_labels + in_clusters) / 2
    ari = 1.0 if most == chance else (both - chance) / (most - chance)
    assert adjusted_rand_index(labels, clusters) == pytest.approx(ari, abs=1e-9)
    fmi = both / math.sqrt(in_labels * in_clusters) if both else 0.0
    assert fowlkes_mallows(labels, clusters) == pytest.approx(fmi, abs=1e-9)


@given(ITEMS)
def test_nmi_over_the_arithmetic_mean(items: list[tuple[str, int]]) -> None:
    labels, clusters = (list(column) for column in zip(*items, strict=True))
    first, second, joint = entropy(labels), entropy(clusters), entropy(list(items))
    mean = (first + second) / 2
    wanted = (first + second - joint) / mean if mean else 1.0
    got = normalised_mutual_information(labels, clusters)
    assert got == pytest.approx(wanted, abs=1e-9)
    assert 0 <= got <= 1


@given(ITEMS)
def test_accuracy_and_purity_over_every_assignment(items: list[tuple[str, int]]) -> None:
    labels, clusters = (list(column) for column in zip(*items, strict=True))
    stand_ins = [*"abcd", "none"]
    best = max(
        sum(names[cluster] == label for label, cluster in items)
        for names in permutations(stand_ins)
    )
    assert clustering_accuracy(labels, clusters) == pytest.approx(best / len(items))
    shares = [Counter(label for label, c in items if c == k).most_common(1) for k in range(5)]
    pure = sum(top[0][1] for top in shares if top)
    assert purity(labels, clusters) == pytest.approx(pure / len(items))


@pytest.mark.parametrize("metric", METRICS)
@given(items=ITEMS, renamed=st.permutations(range(5)))
def test_names_and_order_do_not_matter(metric, items, renamed) -> None:  # type: ignore[no-untyped-def]
    labels, clusters = (list(column) for column in zip(*items, strict=True))
    straight = metric(labels, clusters)
    tuples = [("speaker", label) for label in reversed(labels)]
    named = np.array([f"c{renamed[cluster]}" for cluster in reversed(clusters)])
    assert metric(tuples, named) == pytest.approx(straight, abs=1e-9)


@pytest.mark.parametrize(
    ("metric", "both", "one_cluster", "each_alone", "all_alone"),
    [
        (adjusted_rand_index, 1.0, 0.0, 0.0, 1.0),
        (clustering_accuracy, 1.0, 0.5, 0.5, 1.0),
        (fowlkes_mallows, 1.0, math.sqrt(1 / 3), 0.0, 0.0),
        (normalised_mutual_information, 1.0, 0.0, 2 / 3, 1.0),
        (purity, 1.0, 0.5, 1.0, 1.0),
    ],
)
def test_degenerate_clusters(metric, both, one_cluster, each_alone, all_alone) -> None:  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metric(["ann"] * 4, [0] * 4) == both
        assert metric(["ann", "ann", "bob", "bob"], [0] * 4) == pytest.approx(one_cluster)
        assert metric(["ann", "ann", "bob", "bob"], range(4)) == pytest.approx(each_alone)
        assert metric(["ann", "bob", "eve", "kim"], range(4)) == all_alone


def test_mixed_names() -> None:
    assert clustering_accuracy([None, "ann", 3, (1, 2)], [0.5, "x", b"y", frozenset()]) == 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_refuses_unusable_names(metric) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MetricError, match="labels: there are none"):
        metric([], [])
    with pytest.raises(MetricError, match="lengths differ"):
        metric(["ann", "bob"], [0])
    with pytest.raises(MetricError, match="clusters: 1 of 2 are NaN, the first at position 1"):
        metric(["ann", "bob"], np.array([0.0, np.nan]))
    with pytest.raises(MetricError, match="want one dimension"):
        metric(["ann", "bob"], np.zeros((2, 1)))
