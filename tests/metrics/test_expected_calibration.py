"""Expected calibration error against its definition, one bin and one item at a time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from harness.metrics.classifier_scores import expected_calibration_error
from harness.metrics.validation import MetricError

GRAIN = 60
"""Probabilities in sixtieths fall on the edges of 15 bins, and tie."""


def by_definition(sixtieths: list[list[int]], labels: list[int], bins: int) -> float:
    """In exact fractions; a tie is settled by the mean over its classes."""
    total = Fraction(0)
    for m in range(1, bins + 1):
        gap = Fraction(0)
        for row, label in zip(sixtieths, labels, strict=True):
            top = max(row)
            confidence = Fraction(top, GRAIN)
            if Fraction(m - 1, bins) < confidence <= Fraction(m, bins):
                tied = [value == top for value in row]
                gap += Fraction(int(tied[label]), sum(tied)) - confidence
        total += abs(gap)
    return float(total / len(labels))


@st.composite
def rows(draw: st.DrawFn) -> list[int]:
    cuts = sorted(draw(st.lists(st.integers(0, GRAIN), min_size=2, max_size=2)))
    return [cuts[0], cuts[1] - cuts[0], GRAIN - cuts[1]]


ITEMS = st.lists(st.tuples(rows(), st.integers(0, 2)), min_size=1, max_size=30)


@given(ITEMS, st.sampled_from([1, 4, 15]))
def test_it_is_its_definition(items: list[tuple[list[int], int]], bins: int) -> None:
    sixtieths, labels = (list(column) for column in zip(*items, strict=True))
    got = expected_calibration_error(np.array(sixtieths) / GRAIN, labels, bins=bins)
    assert got == pytest.approx(by_definition(sixtieths, labels, bins), abs=1e-12)


@given(ITEMS, st.permutations(range(3)))
def test_order_of_the_classes_does_not_matter(
    items: list[tuple[list[int], int]], order: list[int]
) -> None:
    sixtieths, labels = (np.array(column) for column in zip(*items, strict=True))
    moved = expected_calibration_error(sixtieths[:, order] / GRAIN, np.argsort(order)[labels])
    straight = expected_calibration_error(sixtieths / GRAIN, labels)
    assert moved == pytest.approx(straight, abs=1e-12)


def test_equal_probabilities_are_calibrated_on_equally_frequent_classes() -> None:
    assert expected_calibration_error(np.full((8, 4), 0.25), [0, 1, 2, 3] * 2) == 0.0


def test_always_certain() -> None:
    certain = np.eye(2)[[0, 0, 0, 0]]
    assert expected_calibration_error(certain, [0, 0, 0, 0]) == 0.0
    assert expected_calibration_error(certain, [0, 1, 1, 1]) == 0.75


def test_too_sharp_a_softmax_is_seen() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20000, 5))
    honest = softmax(logits, axis=1)
    labels = (rng.random((20000, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(max=4)
    sharp = softmax(4 * logits, axis=1)
    assert expected_calibration_error(honest, labels) < 0.02
    assert expected_calibration_error(sharp, labels) > 0.2


def test_float32_softmax_over_many_classes_sums_to_1() -> None:
    logits = np.random.default_rng(1).normal(size=(10, 7205)).astype(np.float32)
    assert expected_calibration_error(softmax(logits, axis=1), range(10)) < 0.1


def test_refuses_what_is_no_probability() -> None:
    with pytest.raises(MetricError, match="1 of 2 items have a negative one, the first is item 1"):
        expected_calibration_error([[0.5, 0.5], [1.5, -0.5]], [0, 1])
    with pytest.raises(MetricError, match="1 of 2 items do not sum to 1, the first is item 0 with"):
        expected_calibration_error([[0.5, 0.4], [0.5, 0.5]], [0, 1])
    with pytest.raises(MetricError, match="1 of 1 items hold NaN"):
        expected_calibration_error([[0.5, np.nan]], [0])
    with pytest.raises(MetricError, match="lengths differ"):
        expected_calibration_error([[0.5, 0.5]], [0, 1])
    with pytest.raises(MetricError, match="there are none"):
        expected_calibration_error(np.empty((0, 2)), np.empty(0, dtype=int))
    with pytest.raises(MetricError, match="0 bins"):
        expected_calibration_error([[0.5, 0.5]], [0], bins=0)
