"""Models of several utterances against a loop, and names that do not fit."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.validation import MetricError
from harness.scoring.enrolment import EnrolmentRule, average_by_model


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


def test_the_rules_have_names():
    assert get_args(EnrolmentRule) == ("average", "concatenate")
