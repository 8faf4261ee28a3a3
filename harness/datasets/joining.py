"""Short utterances of one training speaker, joined to longer ones without being copied.

Neighbours in the pack lie end to end, so joined utterances are one longer stretch of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import SAMPLE_RATE


def joined_rows(
    items: pd.DataFrame, rows: NDArray[np.int64], lengths: NDArray[np.int64], seconds: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Joins short neighbours of one speaker, and of one genre where the items tell it.

    The rule of WeSpeaker's CN-Celeb recipe (there with 5 s): see `joined_neighbours`. What a
    speaker has less of in all than `seconds` becomes one utterance. Utterances are neighbours
    where nothing stands between them in the pack.

    Args:
        items: the utterances, `[items]`.
        rows: where each lies in the pack, ascending, `[items]`.
        lengths: samples of each, `[items]`.
        seconds: the least length wanted.

    Returns:
        The first item of each joined utterance, and the one after its last, both `[joined]`.
    """
    least = round(seconds * SAMPLE_RATE)
    bounds = [
        (begin + first, begin + after)
        for begin, end in pairwise(_edges(items, rows))
        for first, after in joined_neighbours(lengths[begin:end].tolist(), least)
    ]
    table = np.array(bounds, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _edges(items: pd.DataFrame, rows: NDArray[np.int64]) -> list[int]:
    """Where utterances are not neighbours, from 0 to their number."""
    apart = np.diff(np.asarray(rows)) != 1
    for column in {"unit", "genre"} & set(items.columns):
        values = items[column].to_numpy(str)
        apart |= values[1:] != values[:-1]
    inner = (np.flatnonzero(apart) + 1).tolist()
    return [0, *inner, len(items)] if len(items) else [0]


def joined_neighbours(lengths: Sequence[int], least: int) -> list[tuple[int, int]]:
    """Joins neighbours so that every group is at least so long, where all together are.

    Short ones are taken from the last to the first. One joins its left neighbour where it has no
    right one, or where the right one is long enough by itself; else the one with which it becomes
    long enough, the shorter of the two where it would with either, and the right one where it
    would with neither; a group that is still short is taken again.

    Args:
        lengths: of each utterance, in order.
        least: the length wanted.

    Returns:
        First and one past the last utterance of each group, in order.

    >>> joined_neighbours([6, 1, 7, 2], 5)
    [(0, 2), (2, 4)]
    >>> joined_neighbours([1, 2], 5)
    [(0, 2)]
    """
    groups = _Groups(lengths)
    waiting = [start for start, length in enumerate(lengths) if length < least]
    while waiting:
        start = waiting.pop()
        if not groups.begins(start) or groups.total[start] >= least:
            continue
        left, right = groups.left(start), groups.right(start)
        if left is None and right is None:
            break
        if _goes_left(left, groups.total[start], right, least):
            groups.join(groups.first[start - 1])
        else:
            groups.join(start)
            waiting.append(start)
    return groups.bounds()


class _Groups:
    """Neighbouring utterances in groups, each known by where it starts."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.total = list(lengths)
        self.first = list(range(len(lengths)))
        self.after = list(range(1, len(lengths) + 1))

    def begins(self, place: int) -> bool:
        return self.first[self.after[place] - 1] == place

    def left(self, start: int) -> int | None:
        return self.total[self.first[start - 1]] if start else None

    def right(self, start: int) -> int | None:
        after = self.after[start]
        return self.total[after] if after < len(self.total) else None

    def join(self, start: int) -> None:
        """Joins the group at `start` with the one to its right."""
        other = self.after[start]
        self.after[start] = self.after[other]
        self.first[self.after[other] - 1] = start
        self.total[start] += self.total[other]

    def bounds(self) -> list[tuple[int, int]]:
        found, start = [], 0
        while start < len(self.total):
            found.append((start, self.after[start]))
            start = self.after[start]
        return found


def _goes_left(left: int | None, length: int, right: int | None, least: int) -> bool:
    if left is None or right is None:
        return right is None
    if right > least:
        return True
    if left + length < least:
        return False
    return right + length < least or left < right
