"""Rings hold every pair once; shares are level: nobody gets more without another getting less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.datasets.item_pairs import (
    cross_pairs,
    interleave,
    ring_pairs,
    share_evenly,
    take_pairs,
)

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


BASINS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12)


@st.composite
def vessels(draw):
    room, held = np.array(draw(BASINS)).T
    return room, held, draw(st.integers(0, int(room.sum())))


@given(vessels())
def test_the_law_of_levelling(vessel):
    room, held, amount = vessel
    given_ = share_evenly(room, amount, held)
    assert given_.sum() == amount
    assert (given_ >= 0).all()
    assert (given_ <= room).all()
    height = held + given_
    could_take = height[given_ < room]
    was_given = height[given_ > 0]
    if len(could_take) and len(was_given):
        assert was_given.max() <= could_take.min() + 1


def one_by_one(room, amount, held):
    """Each unit goes to the lowest taker with room, the first of equals."""
    given_ = np.zeros_like(room)
    for _ in range(amount):
        height = np.where(given_ < room, held + given_, 10**6)
        given_[int(height.argmin())] += 1
    return given_


@given(vessels())
def test_it_is_what_handing_out_one_by_one_gives(vessel):
    room, held, amount = vessel
    assert share_evenly(room, amount, held).tolist() == one_by_one(room, amount, held).tolist()


def test_nobody_gets_nothing():
    assert share_evenly(np.array([], dtype=np.int64), 0).tolist() == []
