"""What is refused before anything is scored, and that the message says where."""

from __future__ import annotations

import numpy as np
import pytest

from harness.metrics.validation import MetricError
from harness.scoring.checks import (
    check_finite_rows,
    check_same_size,
    usable_embeddings,
    usable_rows,
)


@pytest.mark.parametrize(
    "wrong", [np.ones(3), np.ones((0, 4)), np.ones((4, 0)), np.ones((1, 2, 3))]
)
def test_embeddings_have_rows_and_a_size(wrong):
    with pytest.raises(MetricError, match=r"cohort: shape .*want \[rows, size\]"):
        usable_embeddings(wrong, "cohort")


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_floating_embeddings_are_not_copied(kind):
    array = np.ones((2, 3), dtype=kind)
    assert usable_embeddings(array, "x") is array


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are none"),
        ([[0]], "want one dimension"),
        ([0.5], "dtype float64, want integers"),
        ([True], "dtype bool, want integers"),
        ([0, 1, -1, 7], r"2 of 4 are outside 0 to 4, the first is -1 at position 2"),
    ],
)
def test_rows_are_rows_that_exist(rows, message):
    with pytest.raises(MetricError, match=message):
        usable_rows(np.asarray(rows, dtype=int) if rows == [] else rows, 5, "enrol rows")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_row_that_is_not_finite_is_named(bad):
    values = np.ones((5, 3), dtype=np.float32)
    values[3, 1] = values[4, 0] = bad
    values[4, 2] = -bad
    with pytest.raises(MetricError, match=r"x: 2 of 5 rows hold NaN or infinite.*row 3"):
        check_finite_rows(values, "x")


def test_large_finite_values_are_finite():
    check_finite_rows(np.full((2, 100), 3e38, dtype=np.float32), "x")


def test_sizes_that_differ_are_told():
    with pytest.raises(MetricError, match="sizes 2 and 3 differ"):
        check_same_size(np.ones((4, 2)), np.ones((4, 3)), "enrol and test")
