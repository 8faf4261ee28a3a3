"""Classification metrics against definitions written out, and accuracy over resampled units."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.accuracy import (
    accuracy,
    accuracy_interval,
    balanced_accuracy,
    confusion,
    left_one_out,
    macro_f1,
)
from harness.metrics.validation import MetricError

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


@given(PAIRS)
def test_metrics_are_their_definitions(pairs: list[tuple[int, int]]) -> None:
    labels, predictions = (list(column) for column in zip(*pairs, strict=True))
    table = np.zeros((4, 4), dtype=int)
    for true, predicted in pairs:
        table[true, predicted] += 1
    hits, rows, columns = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    seen = rows + columns > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert accuracy(labels, predictions) == pytest.approx(hits.sum() / len(pairs))
        assert balanced_accuracy(labels, predictions) == pytest.approx(
            np.mean(hits[rows > 0] / rows[rows > 0])
        )
        assert macro_f1(labels, predictions) == pytest.approx(
            np.mean(2 * hits[seen] / (rows + columns)[seen])
        )
        assert np.array_equal(confusion(labels, predictions, range(4)), table)


def test_confusion_keeps_the_order_of_classes() -> None:
    table = confusion(["b", "b", "a"], ["a", "b", "a"], ["c", "b", "a"])
    assert table.tolist() == [[0, 0, 0], [0, 1, 1], [0, 0, 1]]


def test_confusion_refuses_an_unknown_class() -> None:
    with pytest.raises(MetricError, match="1 classes are not in classes, the first is 'z'"):
        confusion(["a"], ["z"], ["a", "b"])


@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy, macro_f1])
def test_refuses_nothing_and_different_lengths(metric) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MetricError, match="there are none"):
        metric([], [])
    with pytest.raises(MetricError, match="lengths differ"):
        metric([1, 2], [1])


UNITS = np.array(["ann", "bob", "ann", "eve", "bob", "ann"])
CORRECT = np.array([True, False, True, True, True, False])


def test_left_one_out_equals_removed_items() -> None:
    got = left_one_out(CORRECT, UNITS)
    wanted = [np.mean(CORRECT[unit != UNITS]) for unit in np.unique(UNITS)]
    assert got == pytest.approx(np.array(wanted), abs=1e-12)


def test_units_of_one_item_each() -> None:
    correct = np.random.default_rng(0).random(200) < 0.9
    interval = accuracy_interval(correct, range(200), seed=0)
    value = float(np.mean(correct))
    # With one item a unit the spread of the logit is the binomial one.
    wanted = 1.97 / np.sqrt(200 * value * (1 - value))
    got = np.log(interval.high / (1 - interval.high)) - np.log(value / (1 - value))
    assert got == pytest.approx(wanted, rel=0.15)
    assert len(left_one_out(correct, range(200))) == 200


@pytest.mark.parametrize("right", [True, False])
def test_accuracy_of_exactly_0_and_1(right: bool) -> None:
    interval = accuracy_interval(np.full(60, right), np.repeat(np.arange(20), 3), seed=0)
    far = 1 - 0.025 ** (1 / 20)
    wanted = (1 - far, 1.0) if right else (0.0, far)
    assert (interval.low, interval.high) == pytest.approx(wanted)


def test_items_of_a_unit_that_move_together_widen_the_interval() -> None:
    correct = np.repeat(np.random.default_rng(1).random(40) < 0.7, 10)
    together = accuracy_interval(correct, np.repeat(np.arange(40), 10), seed=0)
    apart = accuracy_interval(correct, range(400), seed=0)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_refuses_unusable_units() -> None:
    with pytest.raises(MetricError, match="at least 2"):
        left_one_out(CORRECT, ["ann"] * 6)
    with pytest.raises(MetricError, match="1 units"):
        accuracy_interval(CORRECT, ["ann"] * 6, seed=0)
    with pytest.raises(MetricError, match="lengths differ"):
        accuracy_interval(CORRECT, ["ann"], seed=0)
    with pytest.raises(MetricError, match="want bool"):
        accuracy_interval(np.array([1, 0]), ["a", "b"], seed=0)
