"""An amount handed out as evenly as the takers have room for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def levelled(room: Counts, amount: int, held: Counts | None = None) -> Counts:
    """How much each taker gets, so that what they hold in the end is as level as can be.

    Like water in a vessel of many basins: those with little room are filled, the others share
    the rest, and what cannot be shared goes to the first ones, one each.

    Args:
        room: how much each can take, `[takers]`.
        amount: how much there is, at most the sum of `room`.
        held: how much each holds already, `[takers]`; None stands for nothing.

    >>> levelled(np.array([2, 9, 9, 9]), 15).tolist()
    [2, 5, 4, 4]
    >>> levelled(np.array([9, 9, 9]), 5, held=np.array([4, 0, 1])).tolist()
    [0, 3, 2]
    """
    if not len(room):
        return np.zeros(0, dtype=np.int64)
    start = np.zeros_like(room) if held is None else held
    level = _level(room, amount, start)
    given = np.clip(level - start, 0, room)
    could_take_one = np.clip(level + 1 - start, 0, room) > given
    given[np.flatnonzero(could_take_one)[: amount - int(given.sum())]] += 1
    return given


def _level(room: Counts, amount: int, start: Counts) -> int:
    """The highest level that the amount reaches everywhere where there is room."""
    low, high = int(start.min()), int((start + room).max())
    while low < high:
        middle = (low + high + 1) // 2
        if np.clip(middle - start, 0, room).sum() <= amount:
            low = middle
        else:
            high = middle - 1
    return low
