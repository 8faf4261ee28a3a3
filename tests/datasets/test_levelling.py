"""Levelled shares: all is handed out, and nobody could get more without another getting less."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.datasets.item_pairs import share_evenly

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
