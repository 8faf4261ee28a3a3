"""Recall@K, held against scikit-learn's neighbours."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from harness.metrics.recall_at_k import recall_at_k
from harness.metrics.validation import MetricError


def test_recall_is_that_of_the_neighbours_scikit_learn_finds():
    values, labels = load_digits(return_X_y=True)
    values, labels = values[:300] - 4.0, labels[:300] // 3 * 100 + np.arange(300) // 60
    found, queries = recall_at_k(values, labels, [1, 5, 20])
    near = NearestNeighbors(n_neighbors=21, metric="cosine").fit(values)
    others = near.kneighbors(values, return_distance=False)[:, 1:]
    able = np.array([(labels == own).sum() > 1 for own in labels])
    hits = (labels[others] == labels[:, None])[able]
    assert queries == able.sum()
    assert found == pytest.approx({k: hits[:, :k].any(axis=1).mean() for k in (1, 5, 20)})
    assert 0.2 < found[1] < found[5] < found[20] <= 1


def test_items_without_a_partner_are_no_queries():
    labels = np.array(["a", "a", "b"])
    assert recall_at_k(np.eye(3)[[0, 0, 2]], labels, [1]) == ({1: 1.0}, 2)


def test_equal_embeddings_find_nothing():
    labels = np.array(["a", "a", "b", "b"])
    assert recall_at_k(np.ones((4, 2)), labels, [1, 2, 3])[0] == {1: 0.0, 2: 0.0, 3: 1.0}


def test_what_cannot_be_asked():
    with pytest.raises(MetricError, match="no two items"):
        recall_at_k(np.eye(2), np.array(["a", "b"]), [1])
    with pytest.raises(MetricError, match="K is 0"):
        recall_at_k(np.eye(2), np.array(["a", "a"]), [0])
