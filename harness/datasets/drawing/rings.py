"""All pairs of some things, a ring at a time, each thing as often in a ring as any other.

Whoever takes the first rings has pairs in which nothing comes much more often than anything
else, and no more of them in memory than were taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

Pairs = NDArray[np.int64]
"""Pairs of places, `[pairs, 2]`."""


def circle(size: int) -> Iterator[Pairs]:
    """Every pair of `size` things once; a ring joins each to the one so many places on.

    >>> [ring.tolist() for ring in circle(4)]
    [[[0, 1], [1, 2], [2, 3], [3, 0]], [[0, 2], [1, 3]]]
    """
    places = np.arange(size)
    for step in range(1, size // 2 + 1):
        first = places[: size // 2 if 2 * step == size else size]
        yield np.stack([first, (first + step) % size], axis=1)


def between(left: int, right: int) -> Iterator[Pairs]:
    """Every pair of one of `left` and one of `right` things once.

    >>> [ring.tolist() for ring in between(2, 3)]
    [[[0, 0], [1, 1], [0, 2]], [[1, 0], [0, 1], [1, 2]]]
    """
    if left > right:
        yield from (ring[:, ::-1] for ring in between(right, left))
        return
    second = np.arange(right)
    for turn in range(left):
        yield np.stack([(second + turn) % left, second], axis=1)


def interleaved(streams: Iterable[Iterator[Pairs]]) -> Iterator[Pairs]:
    """Several streams of rings as one: the first rings of all, the second rings of all, ..."""
    for rings in zip_longest(*streams):
        yield np.concatenate([ring for ring in rings if ring is not None])


def taken(
    rings: Iterable[Pairs], wanted: int, keep: Callable[[Pairs], NDArray[np.bool_]] | None = None
) -> Pairs:
    """The first so many pairs, or all where there are fewer.

    Args:
        rings: where pairs come from.
        wanted: how many.
        keep: tells of each pair whether it may be taken.
    """
    kept = [np.empty((0, 2), dtype=np.int64)]
    for ring in rings:
        usable = ring if keep is None else ring[keep(ring)]
        kept.append(usable[:wanted])
        wanted -= len(kept[-1])
        if wanted <= 0:
            break
    return np.concatenate(kept)
