"""Items in an order that no table decides, and pairs of them spread evenly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.split import hash_order

Counts = NDArray[np.int64]

Pairs = NDArray[np.int64]
"""Pairs of places, `[pairs, 2]`."""

Relation = Literal["any", "same", "cross"]
"""The sessions (or genders) that two items must have: any, the same one, or two."""

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class ItemOrder:
    """Items in the order of their labels' hashes, those of a label in that of their own.

    Attributes:
        ids: `[items]`.
        label: numbers of labels from 0, rising, `[items]`.
        session, gender: numbers, `UNKNOWN` if the corpus does not have it, `[items]`.
    """

    ids: NDArray[Any]
    label: Counts
    session: Counts
    gender: Counts

    @cached_property
    def size(self) -> Counts:
        """Count of items of each label, `[labels]`."""
        return np.bincount(self.label).astype(np.int64)

    @cached_property
    def start(self) -> Counts:
        """Place of each label's first item, `[labels]`."""
        return np.cumsum(self.size) - self.size

    @cached_property
    def label_gender(self) -> Counts:
        """Gender of each label's first item, `[labels]`."""
        return self.gender[self.start]

    @property
    def gender_sides(self) -> list[Counts]:
        """The labels of each known gender."""
        genders = np.unique(self.label_gender[self.label_gender != UNKNOWN])
        return [np.flatnonzero(self.label_gender == gender) for gender in genders]

    def labels_of_two_genders(self) -> Counts:
        """Return the labels with items of more than one gender."""
        return np.unique(self.label[self.gender != self.label_gender[self.label]])

    def target_room(self, relation: Relation) -> Counts:
        """Count the pairs of items within each label, by session, `[labels]`."""
        if relation == "any":
            return _pairs_within(self.size)
        known = self.session != UNKNOWN
        sessions = np.stack([self.label[known], self.session[known]], axis=1)
        groups, sizes = np.unique(sessions, axis=0, return_counts=True)
        same = np.zeros(len(self.size), dtype=np.int64)
        np.add.at(same, groups[:, 0], _pairs_within(sizes))
        whole = _pairs_within(np.bincount(self.label[known], minlength=len(self.size)))
        return same if relation == "same" else whole - same

    def nontarget_room(self, relation: Relation) -> int:
        """Count the pairs of items of two labels, by gender."""
        if relation == "any":
            return _pairs_between(self.size)
        sides = [self.size[labels] for labels in self.gender_sides]
        if relation == "same":
            return sum(_pairs_between(side) for side in sides)
        return _pairs_between(np.array([side.sum() for side in sides], dtype=np.int64))


def item_order(items: pd.DataFrame, seed: int) -> ItemOrder:
    """Put a split's items in order; `session` and `gender` are used if they are columns."""
    labels = items["label"].astype(str)
    label_keys = {label: hash_order(seed, label) for label in set(labels)}
    item_keys = [hash_order(seed, str(each)) for each in items["id"]]
    place = np.lexsort((np.array(item_keys, dtype=str), labels.map(label_keys).to_numpy(str)))
    table = items.iloc[place]
    return ItemOrder(
        table["id"].to_numpy(object),
        pd.factorize(table["label"].astype(str))[0].astype(np.int64),
        _numbers(table, "session"),
        _numbers(table, "gender"),
    )


def _numbers(table: pd.DataFrame, column: str) -> Counts:
    if column not in table:
        return np.full(len(table), UNKNOWN, dtype=np.int64)
    values = table[column].to_numpy(str)
    numbers = np.unique(values, return_inverse=True)[1]
    return np.where(values == "", UNKNOWN, numbers).astype(np.int64)


def _pairs_within(sizes: NDArray[Any]) -> Counts:
    return np.asarray(sizes * (sizes - 1) // 2, dtype=np.int64)


def _pairs_between(sizes: Counts) -> int:
    return int((sizes.sum() ** 2 - (sizes**2).sum()) // 2)


def ring_pairs(size: int) -> Iterator[Pairs]:
    """Yield every pair of `size` things once, a ring at a time.

    A ring joins each thing to the one so many places on, so whoever takes the first rings has
    pairs in which nothing comes much more often than anything else, and no more of them in memory
    than were taken.

    >>> [ring.tolist() for ring in ring_pairs(4)]
    [[[0, 1], [1, 2], [2, 3], [3, 0]], [[0, 2], [1, 3]]]
    """
    places = np.arange(size)
    for step in range(1, size // 2 + 1):
        first = places[: size // 2 if 2 * step == size else size]
        yield np.stack([first, (first + step) % size], axis=1)


def cross_pairs(left: int, right: int) -> Iterator[Pairs]:
    """Yield every pair of one of `left` and one of `right` things once, a ring at a time.

    >>> [ring.tolist() for ring in cross_pairs(2, 3)]
    [[[0, 0], [1, 1], [0, 2]], [[1, 0], [0, 1], [1, 2]]]
    """
    if left > right:
        yield from (ring[:, ::-1] for ring in cross_pairs(right, left))
        return
    second = np.arange(right)
    for turn in range(left):
        yield np.stack([(second + turn) % left, second], axis=1)


def interleave(streams: Iterable[Iterator[Pairs]]) -> Iterator[Pairs]:
    """Yield the first rings of all streams as one ring, the second rings of all, ..."""
    for rings in zip_longest(*streams):
        yield np.concatenate([ring for ring in rings if ring is not None])


def take_pairs(
    rings: Iterable[Pairs], wanted: int, keep: Callable[[Pairs], NDArray[np.bool_]] | None = None
) -> Pairs:
    """Take the first so many pairs, or all if there are fewer.

    Args:
        rings: arrays of pairs.
        wanted: count of pairs.
        keep: tells of each pair if it may be taken.
    """
    kept = [np.empty((0, 2), dtype=np.int64)]
    for ring in rings:
        usable = ring if keep is None else ring[keep(ring)]
        kept.append(usable[:wanted])
        wanted -= len(kept[-1])
        if wanted <= 0:
            break
    return np.concatenate(kept)


def share_evenly(room: Counts, amount: int, held: Counts | None = None) -> Counts:
    """Share an amount so that the totals in the end are as level as can be.

    Like water in a vessel of many basins: those with little room are filled, the others share
    the rest, and a remainder that cannot be shared goes to the first ones, one each.

    Args:
        room: largest share of each, `[takers]`.
        amount: to be shared, at most the sum of `room`.
        held: amount that each holds already, `[takers]`; None stands for nothing.

    >>> share_evenly(np.array([2, 9, 9, 9]), 15).tolist()
    [2, 5, 4, 4]
    >>> share_evenly(np.array([9, 9, 9]), 5, held=np.array([4, 0, 1])).tolist()
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
    """Return the highest level that the amount reaches in all basins with room, by bisection."""
    low, high = int(start.min()), int((start + room).max())
    while low < high:
        middle = (low + high + 1) // 2
        if np.clip(middle - start, 0, room).sum() <= amount:
            low = middle
        else:
            high = middle - 1
    return low
