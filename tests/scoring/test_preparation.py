"""Embeddings that are refused, means subtracted, and models of several utterances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.validation import MetricError
from harness.scoring.preparation import (
    average_by_model,
    check_finite_rows,
    check_same_size,
    subtract_mean,
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


def test_a_set_seen_from_its_own_centre_has_mean_zero():
    values = np.random.default_rng(0).normal(3, 1, (50, 4)).astype(np.float32)
    centred = subtract_mean(values, values)
    assert centred.dtype == np.float32
    np.testing.assert_allclose(centred.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(centred - centred[0], values - values[0], atol=1e-6)


def test_the_mean_is_that_of_the_named_set():
    got = subtract_mean([[5.0, 5.0]], of=[[1.0, 2.0], [3.0, 2.0]])
    np.testing.assert_array_equal(got, [[3.0, 3.0]])


def test_the_mean_of_many_is_summed_in_double_precision():
    many = np.full((200_000, 4), 0.1, dtype=np.float32)
    np.testing.assert_allclose(subtract_mean(many[:1], of=many), 0, atol=1e-8)


@pytest.mark.parametrize(
    ("values", "of", "message"),
    [
        ([[1.0, 2.0]], [[1.0]], "sizes 2 and 1 differ"),
        ([[np.nan]], [[1.0]], "embeddings: 1 of 1 rows"),
        ([[1.0]], [[1.0], [np.inf]], "the set whose mean is subtracted: 1 of 2 rows.*row 1"),
    ],
)
def test_wrong_sets_are_refused(values, of, message):
    with pytest.raises(MetricError, match=message):
        subtract_mean(values, of)


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=30), st.randoms())
def test_means_agree_with_a_loop_in_the_order_asked(owners, random):
    values = np.random.default_rng(len(owners)).normal(size=(len(owners), 3)).astype(np.float32)
    models = sorted(set(owners))
    random.shuffle(models)
    want = []
    for model in models:
        own = [row for row, owner in zip(values, owners, strict=True) if owner == model]
        want.append(sum(row.astype(float) for row in own) / len(own))
    got = average_by_model(values, owners, models)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_longer_embeddings_weigh_more():
    got = average_by_model([[10.0, 0.0], [0.0, 1.0]], ["a", "a"], ["a"])
    np.testing.assert_array_equal(got, [[5.0, 0.5]])


def test_names_may_be_codes():
    got = average_by_model([[1.0], [2.0], [4.0]], [7, 3, 7], [3, 7])
    np.testing.assert_array_equal(got, [[2.0], [2.5]])


@pytest.mark.parametrize(
    ("owners", "models", "message"),
    [
        (["a", "b", "c"], ["a", "b"], "1 models are not in models, the first is 'c'"),
        (["a", "a", "a"], ["a", "b", "c"], "2 models have no embedding, the first is 'b'"),
        (["a", "a", "b"], ["a", "b", "a"], "1 models are named twice, the first is 'a'"),
        (["a", "b"], ["a", "b"], "3 enrol embeddings, and model_of_row names 2"),
        (["a", "a", "a"], [], "models: there are none"),
    ],
)
def test_names_that_do_not_fit_are_refused(owners, models, message):
    with pytest.raises(MetricError, match=message):
        average_by_model(np.ones((3, 2)), owners, models)


def test_a_row_that_is_not_finite_is_named():
    with pytest.raises(MetricError, match=r"1 of 2 rows hold NaN.*row 1"):
        average_by_model([[1.0], [np.nan]], ["a", "a"], ["a"])
