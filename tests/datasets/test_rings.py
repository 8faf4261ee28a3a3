"""Rings hold every pair once, each thing as often in a ring as any other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.datasets.item_pairs import cross_pairs, interleave, ring_pairs, take_pairs

SIZES = st.integers(0, 12)


def unordered(pairs):
    return sorted(tuple(sorted(pair)) for pair in pairs.tolist())


@given(SIZES)
def test_a_circle_has_every_pair_once(size):
    pairs = take_pairs(ring_pairs(size), 1000)
    assert unordered(pairs) == [(a, b) for a in range(size) for b in range(a + 1, size)]


@given(st.integers(3, 12))
def test_a_ring_of_a_circle_has_everything_equally_often(size):
    for ring in ring_pairs(size):
        assert len(set(np.bincount(ring.ravel(), minlength=size))) == 1


@given(SIZES, SIZES)
def test_between_has_every_pair_once(left, right):
    pairs = take_pairs(cross_pairs(left, right), 1000)
    assert sorted(map(tuple, pairs.tolist())) == [(a, b) for a in range(left) for b in range(right)]


@given(st.integers(1, 12), st.integers(1, 12))
def test_a_ring_between_has_the_many_once_and_the_few_equally_often(left, right):
    for ring in cross_pairs(left, right):
        for side, size in ((0, left), (1, right)):
            uses = np.bincount(ring[:, side], minlength=size)
            assert uses.max() - uses.min() <= (0 if size == max(left, right) else 1)


@pytest.mark.parametrize("wanted", [0, 1, 5, 6, 7])
def test_the_first_pairs_are_taken(wanted):
    assert len(take_pairs(ring_pairs(4), wanted)) == min(wanted, 6)


def test_only_what_may_be_taken_is_taken():
    pairs = take_pairs(ring_pairs(5), 3, keep=lambda pairs: (pairs != 0).all(axis=1))
    assert pairs.tolist() == [[1, 2], [2, 3], [3, 4]]


def test_streams_take_turns():
    rings = [
        ring.tolist() for ring in interleave([ring_pairs(2), cross_pairs(1, 1), ring_pairs(3)])
    ]
    assert rings == [[[0, 1], [0, 0], [0, 1], [1, 2], [2, 0]]]
