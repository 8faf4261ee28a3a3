"""The task of clusters: what it finds, what it tells, and that labels do nothing else."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import normalized_mutual_info_score

from harness.errors import DataError
from harness.tasks.clusterers import NAMED
from harness.tasks.clustering import CLUSTERS, Clustering
from harness.tasks.task import Lists, Side, TaskOptions, baseline_names

TASK = Clustering(resamples=50, restarts=2)
ACTS = ("ask", "greet", "state")


def side(seed: int, spread: float = 0.3, items: int = 90) -> Side:
    """Points around three places, five turns a dialogue."""
    rng = np.random.default_rng(seed)
    acts = rng.integers(0, 3, items)
    middles = np.array([[4, 0, 0], [0, 4, 0], [0, 0, 4]])
    points = middles[acts] + spread * rng.normal(size=(items, 3))
    table = pd.DataFrame(
        {"label": np.array(ACTS)[acts], "unit": [f"d{row // 5}" for row in range(items)]}
    )
    return Side(points.astype(np.float32), Lists(table, ACTS))


def test_clear_clusters_are_found_and_told_with_their_intervals():
    test = side(0)
    judged = TASK.judge(test.lists, TASK.score(side(1), test, None))
    assert judged.metrics["nmi"].value == pytest.approx(1)
    assert set(judged.metrics) == set(TASK.facts) - {"training_accuracy"}
    assert all(metric.low <= metric.value <= metric.high for metric in judged.metrics.values())
    assert set(judged.left_one_out["nmi"]) == {f"d{number}" for number in range(18)}
    assert judged.notes == ()
    assert {name: metric.unit for name, metric in judged.metrics.items()} == {
        name: TASK.facts[name].unit for name in judged.metrics
    }


def test_nmi_is_that_of_scikit_learn_on_noisy_points():
    test = side(2, spread=3.0)
    scores = TASK.score(side(3), test, None)
    wanted = normalized_mutual_info_score(test.lists.items["label"], scores[CLUSTERS])
    assert TASK.judge(test.lists, scores).metrics["nmi"].value == pytest.approx(wanted)


def shuffled(of: Side, seed: int) -> Side:
    items = of.lists.items
    labels = np.random.default_rng(seed).permutation(items["label"].to_numpy())
    return replace(of, lists=Lists(items.assign(label=labels), of.lists.classes))


def test_labels_decide_neither_clusters_nor_what_weights_are_selected_by():
    test = side(4, spread=2.0)
    other = shuffled(test, 0)
    for name in (None, *NAMED):
        found = [
            TASK.score(each, each, None) if name is None else TASK.score_baseline(name, each, each)
            for each in (test, other)
        ]
        assert np.array_equal(found[0][CLUSTERS], found[1][CLUSTERS])
    selects = TaskOptions.of(TASK).selects
    one, two = TASK.validate(test), TASK.validate(other)
    assert one[selects] == two[selects]
    assert one["nmi"] != two["nmi"]


@pytest.mark.parametrize("name", NAMED)
def test_each_row_without_training_finds_clear_clusters(name):
    test = side(6)
    scores = TASK.score_baseline(name, side(7), test)
    assert TASK.judge(test.lists, scores).metrics["nmi"].value > 0.9


def test_the_rows_without_training_are_named_once():
    assert baseline_names(TASK) == ("k-means", *NAMED)


def test_the_number_of_clusters_is_estimated_on_validation():
    task = Clustering(clusters="estimated", most=6, restarts=2)
    validation = replace(side(8), lists=Lists(side(8).lists.items, tuple("abcdefgh")))
    scores = task.score(validation, side(9), None)
    assert int(scores["cluster_number"][0]) == 3
    assert task.decides == ("cluster_number",)
    assert TASK.decides == ()


@pytest.mark.parametrize(
    ("clusters", "said"),
    [
        (np.arange(90) % 2 - 1, ["found 2 clusters (one of them is noise), 3 were asked for"]),
        (np.arange(90) % 2, ["found 2 clusters, 3 were asked for"]),
        (np.full(90, -1), ["found 1 cluster (it is noise), 3 were asked for"]),
        (np.zeros(90, int), ["found 1 cluster, 3 were asked for"]),
        (np.arange(90) % 3, []),
    ],
)
def test_a_row_says_if_it_found_another_number_of_clusters(clusters, said):
    scores = {CLUSTERS: clusters, "cluster_number": np.array([3])}
    assert list(TASK.judge(side(0).lists, scores).notes) == said


def test_each_class_tells_how_much_of_it_was_recovered():
    test = side(0)
    acts = np.unique(test.lists.items["label"], return_inverse=True)[1]
    clusters = np.where(np.arange(90) % 3 == 0, 0, acts + 5)
    groups = TASK.detail(test.lists, {CLUSTERS: clusters}).breakdowns["class"].groups
    for place, group in enumerate(groups):
        own = acts == place
        wanted = np.mean(clusters[own] == place + 5)
        metric = group.metrics["cluster_accuracy"]
        assert metric is not None
        assert metric.value == pytest.approx(wanted)
        assert group.items == own.sum()


def test_what_cannot_be_clustered_is_refused():
    broken = replace(side(0), outputs=np.full((90, 3), np.nan, np.float32))
    with pytest.raises(DataError, match="NaN"):
        TASK.score(broken, broken, None)
    with pytest.raises(DataError, match="whole numbers"):
        TASK.judge(side(0).lists, {CLUSTERS: np.zeros(3, int)})
    one = pd.DataFrame({"label": ["a", "a"], "unit": ["d", "e"]})
    listing: Any = SimpleNamespace(
        name="turns", classes=("a",), split_items=lambda split, left_out: one
    )
    with pytest.raises(DataError, match="fewer than two labels"):
        TASK.lists(listing, "test")
