"""Top-k accuracy against every order that the ties allow, and against scikit-learn without ties."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import top_k_accuracy_score

from harness.metrics.classifier_scores import top_k_accuracy, top_k_correct
from harness.metrics.validation import MetricError

TIED = st.lists(st.integers(0, 2), min_size=4, max_size=4)


@given(TIED, st.integers(0, 3), st.integers(1, 3))
def test_right_only_if_right_in_every_order_of_the_classes(
    logits: list[int], label: int, k: int
) -> None:
    orders = [sorted(order, key=lambda c: -logits[c]) for order in permutations(range(4))]
    wanted = all(label in order[:k] for order in orders)
    assert top_k_correct([logits], [label], k).tolist() == [wanted]


@given(arrays(np.float64, (5, 4), elements=st.integers(0, 2)), st.permutations(range(4)))
def test_order_of_the_classes_does_not_matter(
    logits: np.ndarray[tuple[int, int], np.dtype[np.float64]], order: list[int]
) -> None:
    labels = np.array([0, 1, 2, 3, 0])
    moved = np.argsort(order)[labels]
    straight = top_k_correct(logits, labels, 2)
    assert np.array_equal(top_k_correct(logits[:, order], moved, 2), straight)


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_without_ties_it_is_the_usual_one(k: int) -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(300, 10)), rng.integers(0, 10, 300)
    wanted = top_k_accuracy_score(labels, logits, k=k, labels=range(10))
    assert top_k_accuracy(logits, labels, k) == pytest.approx(wanted)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_equal_logits_are_right_nowhere(k: int) -> None:
    assert top_k_accuracy(np.zeros((8, 4)), [0, 1, 2, 3] * 2, k) == 0.0


def test_more_places_are_never_worse() -> None:
    rng = np.random.default_rng(1)
    logits, labels = rng.integers(0, 4, (100, 6)), rng.integers(0, 6, 100)
    rates = [top_k_accuracy(logits, labels, k) for k in range(1, 6)]
    assert rates == sorted(rates)
    assert rates[0] < rates[-1]


def test_refuses_unusable_input() -> None:
    logits = np.eye(3)
    with pytest.raises(MetricError, match="want 1 to 2"):
        top_k_accuracy(logits, [0, 1, 2], 3)
    with pytest.raises(MetricError, match="k is 0"):
        top_k_accuracy(logits, [0, 1, 2], 0)
    with pytest.raises(MetricError, match="2 of 3 are not from 0 to 2, the first is 3 at position"):
        top_k_accuracy(logits, [0, 3, -1], 1)
    with pytest.raises(MetricError, match="want integer class codes"):
        top_k_accuracy(logits, ["a", "b", "c"], 1)
    with pytest.raises(MetricError, match="lengths differ"):
        top_k_accuracy(logits, [0, 1], 1)
    with pytest.raises(MetricError, match=r"want \[items, classes\]"):
        top_k_accuracy([0.1, 0.2], [0, 1], 1)
    with pytest.raises(MetricError, match="there are none"):
        top_k_accuracy(np.empty((0, 3)), np.empty(0, dtype=int), 1)
    logits[1, 2] = np.nan
    with pytest.raises(MetricError, match="1 of 3 items hold NaN or infinity, the first is item 1"):
        top_k_accuracy(logits, [0, 1, 2], 1)
