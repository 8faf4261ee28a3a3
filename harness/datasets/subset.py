"""One split of a packed dataset, its short utterances joined if that is asked.

Neighbours in the pack lie end to end, so joined utterances are one longer stretch of it and need
no copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import SAMPLE_RATE
from harness.datasets.packing.pack import Pack, tiled_span

MOST_SAMPLED = 500
"""Training items that are judged beside validation; never more than the validation split has."""


@dataclass(frozen=True)
class Subset:
    """One split of a packed dataset.

    Attributes:
        items: its rows of the item table, numbered from 0; of joined items, the first.
        rows: place of each in the pack, `[items]`.
        after: one past the pack's last item that belongs to it, `[items]`.
        pack: the dataset's content.
    """

    items: pd.DataFrame
    rows: NDArray[np.int64]
    after: NDArray[np.int64]
    pack: Pack

    def __len__(self) -> int:
        return len(self.rows)

    def item(self, index: int) -> NDArray[Any]:
        """Return one item in its own shape."""
        return self._flat(index).reshape(self.shape(index))

    def shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of one item."""
        if self.after[index] - self.rows[index] > 1:
            return (self.length(index),)
        return tuple(int(size) for size in self.pack.shapes[self.rows[index]])

    def length(self, index: int) -> int:
        """Return the count of numbers in an item (samples, for audio)."""
        return int(self.pack.offsets[self.after[index]] - self.pack.offsets[self.rows[index]])

    def span(self, index: int, start: int, count: int) -> NDArray[Any]:
        """Return `count` numbers of an item from `start`; short items are tiled."""
        return tiled_span(self._flat(index), start, count)

    def take(self, rows: NDArray[np.int64]) -> Subset:
        """Return some of the items, by their numbers."""
        items = self.items.iloc[rows].reset_index(drop=True)
        return Subset(items, self.rows[rows], self.after[rows], self.pack)

    def join(self, seconds: float) -> Subset:
        """Return the same sound in utterances of at least so many seconds (see `join_rows`)."""
        lengths = self.pack.offsets[self.after] - self.pack.offsets[self.rows]
        first, after = join_rows(self.items, self.rows, lengths, seconds)
        items = self.items.iloc[first].reset_index(drop=True)
        return Subset(items, self.rows[first], self.after[after - 1], self.pack)

    def _flat(self, index: int) -> NDArray[Any]:
        return self.pack.flat(int(self.rows[index]), int(self.after[index]))


def training_sample(training: Subset, validation: Subset) -> Subset:
    """Return training items to be judged beside validation: always the same, evenly spread.

    None of them is longer than the longest validation item: they take no more memory, and there are
    no more of them, than validation takes.
    """
    offsets = training.pack.offsets
    longest = max(validation.length(row) for row in range(len(validation)))
    usable = np.flatnonzero(offsets[training.after] - offsets[training.rows] <= longest)
    count = min(MOST_SAMPLED, len(validation), len(usable))
    return training.take(usable[np.arange(count) * len(usable) // max(1, count)])


def join_rows(
    items: pd.DataFrame, rows: NDArray[np.int64], lengths: NDArray[np.int64], seconds: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join short neighbours of one speaker, and of one genre if the items have a genre.

    The rule of WeSpeaker's CN-Celeb recipe (there with 5 s): see `join_neighbours`. If all of a
    speaker is shorter than `seconds`, it becomes one utterance. Utterances are neighbours if
    nothing stands between them in the pack.

    Args:
        items: the utterances, `[items]`.
        rows: place of each in the pack, ascending, `[items]`.
        lengths: samples of each, `[items]`.
        seconds: the least length wanted.

    Returns:
        The first item of each joined utterance, and the one after its last, both `[joined]`.
    """
    least = round(seconds * SAMPLE_RATE)
    apart = np.diff(np.asarray(rows)) != 1
    for column in {"unit", "genre"} & set(items.columns):
        values = items[column].to_numpy(str)
        apart |= values[1:] != values[:-1]
    inner = (np.flatnonzero(apart) + 1).tolist()
    bounds = [
        (begin + first, begin + after)
        for begin, end in pairwise([0, *inner, len(items)] if len(items) else [0])
        for first, after in join_neighbours(lengths[begin:end].tolist(), least)
    ]
    table = np.array(bounds, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def join_neighbours(lengths: Sequence[int], least: int) -> list[tuple[int, int]]:
    """Join neighbours so that every group is at least so long, if all together are.

    Short ones are taken from the last to the first. One joins its left neighbour if it has no
    right one, or if the right one is long enough by itself; else the one with which it becomes
    long enough, the shorter of the two if it would with either, and the right one if it would
    with neither; a group that is still short is taken again.

    Args:
        lengths: of each utterance, in order.
        least: the length wanted.

    Returns:
        First and one past the last utterance of each group, in order.

    >>> join_neighbours([6, 1, 7, 2], 5)
    [(0, 2), (2, 4)]
    >>> join_neighbours([1, 2], 5)
    [(0, 2)]
    """
    groups = [(start, start + 1, length) for start, length in enumerate(lengths)]
    place = len(groups) - 1
    while place >= 0:
        length = groups[place][2]
        left = groups[place - 1][2] if place else None
        right = groups[place + 1][2] if place + 1 < len(groups) else None
        if length >= least or len(groups) == 1:
            place -= 1
            continue
        if _goes_left(left, length, right, least):
            place -= 1
        (first, _, one), (_, after, other) = groups[place : place + 2]
        groups[place : place + 2] = [(first, after, one + other)]
    return [(first, after) for first, after, _ in groups]


def _goes_left(left: int | None, length: int, right: int | None, least: int) -> bool:
    if left is None or right is None:
        return right is None
    if right > least:
        return True
    if left + length < least:
        return False
    return right + length < least or left < right
