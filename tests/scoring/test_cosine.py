"""Cosines against a loop over pairs, their laws, and embeddings without a direction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics.validation import MetricError
from harness.scoring import cosine
from harness.scoring.cosine import cosine_matrix, unit_length


def slow_cosine(left, right) -> float:
    """One pair, in exactly rounded sums."""
    dot = math.fsum(float(a) * float(b) for a, b in zip(left, right, strict=True))
    return dot / (math.hypot(*map(float, left)) * math.hypot(*map(float, right)))


def normal(rows: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, size)).astype(np.float32)


@pytest.mark.parametrize(("enrol", "test", "size"), [(1, 1, 1), (7, 11, 5), (3, 20, 192)])
@pytest.mark.parametrize("block", [1, 4, 2048])
def test_every_pair_agrees_with_a_loop(enrol, test, size, block, monkeypatch):
    monkeypatch.setattr(cosine, "BLOCK_ROWS", block)
    left, right = normal(enrol, size), normal(test, size, seed=1)
    want = [[slow_cosine(a, b) for b in right] for a in left]
    got = cosine_matrix(left, right)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=5e-7)


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 1000))
def test_cosine_is_symmetric_and_one_with_itself(rows, size, seed):
    values = normal(rows, size, seed)
    matrix = cosine_matrix(values, values)
    np.testing.assert_allclose(matrix, matrix.T, atol=5e-7)
    np.testing.assert_allclose(np.diag(matrix), 1, atol=5e-7)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e3, 1e30])
def test_scale_is_of_no_matter(scale):
    left, right = normal(4, 16), normal(5, 16, seed=1)
    want = cosine_matrix(left, right)
    got = cosine_matrix(left * np.float32(scale), right)
    np.testing.assert_allclose(got, want, atol=1e-6)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64])
def test_unit_length_of_any_number_type_is_float32(kind):
    unit = unit_length(np.array([[3, 4], [0, 2]], dtype=kind))
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit, [[0.6, 0.8], [0, 1]], atol=1e-7)


def test_unit_length_leaves_its_input_alone():
    values = normal(3, 4)
    before = values.copy()
    unit_length(values)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("block", [1, 2048])
def test_embeddings_without_a_direction_are_counted_over_all_blocks(bad, block, monkeypatch):
    monkeypatch.setattr(cosine, "BLOCK_ROWS", block)
    values = normal(6, 4)
    values[[2, 5]] = bad
    with pytest.raises(MetricError, match=r"mine: 2 of 6 have length 0.*the first is row 2;"):
        unit_length(values, "mine")
    with pytest.raises(MetricError, match="test embeddings: 2 of 6"):
        cosine_matrix(normal(1, 4), values)


def test_sizes_must_agree():
    with pytest.raises(MetricError, match="sizes 4 and 5 differ"):
        cosine_matrix(normal(2, 4), normal(2, 5))
