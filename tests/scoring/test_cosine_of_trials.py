"""Scores of trial lists against a loop, and both ways of multiplying against each other."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.validation import MetricError
from harness.scoring import cosine
from harness.scoring.cosine import cosine_matrix, cosine_of_trials

DENSE, SPARSE = 1 << 40, 0
"""Cells a trial is worth: a product for every pair of blocks, or none."""


def normal(rows: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, size)).astype(np.float32)


def slow(enrol, test, enrol_rows, test_rows) -> list[float]:
    scores = []
    for row, other in zip(enrol_rows, test_rows, strict=True):
        left, right = enrol[row].astype(float).tolist(), test[other].astype(float).tolist()
        dot = math.fsum(a * b for a, b in zip(left, right, strict=True))
        scores.append(dot / (math.hypot(*left) * math.hypot(*right)))
    return scores


def small_pieces(monkeypatch) -> None:
    """Makes a short list cross every boundary that a long one does."""
    monkeypatch.setattr(cosine, "BLOCK_ROWS", 3)
    monkeypatch.setattr(cosine, "TRIALS_AT_ONCE", 17)
    monkeypatch.setattr(cosine, "LOOKUPS_AT_ONCE", 4)
    monkeypatch.setattr(cosine, "ROW_VALUES", 20)


@pytest.mark.parametrize("cells", [DENSE, SPARSE, 2, cosine.CELLS_PER_TRIAL])
@pytest.mark.parametrize("count", [1, 16, 17, 18, 200])
def test_any_list_agrees_with_a_loop(cells, count, monkeypatch):
    small_pieces(monkeypatch)
    monkeypatch.setattr(cosine, "CELLS_PER_TRIAL", cells)
    rng = np.random.default_rng(count)
    enrol, test = normal(11, 6), normal(23, 6, seed=1)
    rows, others = rng.integers(0, 11, count), rng.integers(0, 23, count)
    got = cosine_of_trials(enrol, test, rows, others)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, slow(enrol, test, rows, others), atol=5e-7)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12)), min_size=1, max_size=60),
    st.integers(1, 5),
)
def test_dense_and_sparse_routes_agree(pairs, block):
    enrol, test = normal(9, 7), normal(13, 7, seed=1)
    rows, others = np.array(pairs).T
    found = []
    for cells in (DENSE, SPARSE):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cosine, "BLOCK_ROWS", block)
            patch.setattr(cosine, "CELLS_PER_TRIAL", cells)
            found.append(cosine_of_trials(enrol, test, rows, others))
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_each_route_is_taken_where_it_costs_less(monkeypatch):
    looked_up = []
    look_up = cosine._look_up
    monkeypatch.setattr(
        cosine, "_look_up", lambda *given: (looked_up.append(len(given[2])), look_up(*given))
    )
    values = normal(300, 8)
    each = np.arange(300)
    cosine_of_trials(values, values, np.repeat(each, 300), np.tile(each, 300))
    assert looked_up == []
    cosine_of_trials(values, values, each, each[::-1])
    assert looked_up == [300]


@pytest.mark.parametrize("order", ["enrol first", "test first", "shuffled"])
def test_a_full_cross_is_the_matrix(order, monkeypatch):
    small_pieces(monkeypatch)
    enrol, test = normal(5, 6), normal(14, 6, seed=1)
    rows, others = (side.ravel() for side in np.mgrid[:5, :14])
    if order == "test first":
        rows, others = (side.T.ravel() for side in np.mgrid[:5, :14])
    if order == "shuffled":
        mix = np.random.default_rng(0).permutation(70)
        rows, others = rows[mix], others[mix]
    want = cosine_matrix(enrol, test)[rows, others]
    np.testing.assert_allclose(cosine_of_trials(enrol, test, rows, others), want, atol=5e-7)


def test_one_table_may_hold_both_sides():
    values = normal(30, 5)
    rows, others = np.triu_indices(30, k=1)
    got = cosine_of_trials(values, values, rows.astype(np.int32), others.astype(np.uint16))
    np.testing.assert_allclose(got, slow(values, values, rows, others), atol=5e-7)


@pytest.mark.parametrize("cells", [DENSE, SPARSE])
def test_what_no_trial_names_is_not_looked_at(cells, monkeypatch):
    monkeypatch.setattr(cosine, "CELLS_PER_TRIAL", cells)
    values = normal(10, 5)
    values[[1, 4]] = 0
    values[9] = np.nan
    rows, others = np.array([0, 2, 3]), np.array([5, 6, 8])
    got = cosine_of_trials(values, values, rows, others)
    np.testing.assert_allclose(got, slow(values, values, rows, others), atol=5e-7)


def test_a_bad_embedding_of_a_trial_is_named_by_its_row():
    enrol, test = normal(10, 5), normal(10, 5)
    test[[4, 9]] = np.nan
    with pytest.raises(MetricError, match=r"test embeddings: 1 of 2 have .* row 9;"):
        cosine_of_trials(enrol, test, [1, 1, 2], [3, 9, 9])


@pytest.mark.parametrize(
    ("rows", "others", "message"),
    [
        ([0, 1], [0], r"lengths differ: enrol_rows \(2,\), test_rows \(1,\)"),
        ([0, 3], [0, 0], "enrol rows: 1 of 2 are outside 0 to 2"),
        ([0, 0], [-1, 0], "test rows: 1 of 2 are outside 0 to 3"),
    ],
)
def test_wrong_lists_are_refused(rows, others, message):
    with pytest.raises(MetricError, match=message):
        cosine_of_trials(normal(3, 2), normal(4, 2), rows, others)


@pytest.mark.parametrize("cells", [DENSE, SPARSE])
def test_memory_beside_arguments_and_result_is_bounded(cells, monkeypatch):
    monkeypatch.setattr(cosine, "CELLS_PER_TRIAL", cells)
    values = normal(20_000, 64)  # a matrix of all pairs would take 1.5 GiB
    rng = np.random.default_rng(0)
    rows, others = rng.integers(0, 20_000, (2, 30_000))
    tracemalloc.start()
    try:
        cosine_of_trials(values, values, rows, others)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20
