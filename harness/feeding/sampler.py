"""Draws P labels a step and K items of each: a function of seed and step alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from harness.config.recipe_tables import Sampler
from harness.errors import ConfigError

LABELS, ITEMS, HARD = 4, 5, 6
"""Streams of random numbers, beside those of order, crops, noises and speeds."""


class LabelSampler:
    """Sampler of P labels a step and K items of each.

    Over any stretch from the first step on, no label is drawn more than once oftener than
    another; nor is, of one label with K items or more, an item. A label with fewer repeats items.
    If a share is to be hard, this holds of the other labels (anchors): beside them stand the
    labels nearest to them, by a table that is fixed for an epoch (Thienpondt, Desplanques and
    Demuynck, "Cross-lingual Speaker Verification with Domain-balanced Hard Prototype Mining and
    Language-dependent Score Normalization", 2020, arXiv:2007.07689).

    Args:
        labels: class index of each item of the split.
        sampler: P, labels a step, and K, items of each.
        seed: of the order.

    Raises:
        ConfigError: the split has fewer than P labels.
    """

    def __init__(self, labels: NDArray[np.int64], sampler: Sampler, seed: int) -> None:
        present, counts = np.unique(labels, return_counts=True)
        if len(present) < sampler.speakers:
            raise ConfigError(
                f"sampler.speakers: {sampler.speakers} different labels a batch, but the training "
                f"split has {len(present)}; give so many at most"
            )
        self._present = present.tolist()
        self._places = {label: place for place, label in enumerate(self._present)}
        self._members = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
        self._sampler, self._seed = sampler, seed

    def at(self, step: int, nearest: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return a step's items, `[utterances * speakers]`: one of each label, another of each, ...

        Args:
            step: its number.
            nearest: of each class the nearest other ones, nearest first, `[classes, several]`;
                needed if a share of the labels is to be hard.
        """
        size, total = self._sampler.anchors, len(self._members)
        drawn = group((self._seed, LABELS), total, size, step).tolist()
        times = ((step * size + np.arange(size)) // total).tolist()
        chosen = [self._items(label, time) for label, time in zip(drawn, times, strict=True)]
        if size < self._sampler.speakers:
            chosen += [self._some_items(label, step) for label in self._beside(drawn, nearest)]
        return np.stack(chosen, axis=1).ravel()

    def _items(self, label: int, time: int) -> NDArray[np.int64]:
        """Return K items of a label that was drawn so many times before."""
        members = self._members[label]
        key = (self._seed, ITEMS, label)
        return members[group(key, len(members), self._sampler.utterances, time)]

    def _some_items(self, label: int, step: int) -> NDArray[np.int64]:
        """Return K items of a label out of turn, each at most once if there are so many."""
        rng = np.random.Generator(np.random.PCG64([self._seed, HARD, step, label]))
        return np.resize(rng.permutation(self._members[label]), self._sampler.utterances)

    def _beside(self, anchors: list[int], nearest: NDArray[np.int64] | None) -> list[int]:
        """Return, in turn of each anchor, the nearest label that the batch has not got yet."""
        if nearest is None:
            raise TypeError("hard labels are drawn by a table of the nearest; there is none yet")
        taken = dict.fromkeys(anchors)
        for turn in range(self._sampler.speakers - len(anchors)):
            near = nearest[self._present[anchors[turn % len(anchors)]]].tolist()
            places = (self._places[label] for label in near if label in self._places)
            every = chain(places, range(len(self._members)))
            taken[next(place for place in every if place not in taken)] = None
        return list(taken)[len(anchors) :]


def group(key: Sequence[int], members: int, size: int, number: int) -> NDArray[np.int64]:
    """Return the `number`-th group of an endless even pass over members, `[size]`.

    Members come round by round, each once a round, each round in an order of its own, and no
    group holds one twice; with fewer members than a group's size, a group is as even as can be.

    Args:
        key: of the random numbers.
        members: their count.
        size: of a group.
        number: of the group, from 0.
    """
    if members < size:
        order = np.random.Generator(np.random.PCG64([*key, number])).permutation(members)
        return np.resize(order, size)
    sweep, place = divmod(number, members // math.gcd(members, size))
    found: NDArray[np.int64] = _sweep(tuple(key), members, size, sweep)[place]
    return found


@lru_cache(maxsize=512)
def _sweep(key: tuple[int, ...], members: int, size: int, number: int) -> NDArray[np.int64]:
    """Return as many rounds over members as fill whole groups, `[groups, size]`.

    If a group begins in one round and ends in the next, members that it has already come
    later in that next round.
    """
    rng = np.random.Generator(np.random.PCG64([*key, number]))
    flat = np.empty(size // math.gcd(members, size) * members, dtype=np.int64)
    for start in range(0, len(flat), members):
        order = rng.permutation(members)
        begun = set(flat[start - start % size : start].tolist())
        # Stable: members that the begun group has already come after all that fill it up.
        order[:size] = sorted(order[:size].tolist(), key=begun.__contains__)
        flat[start : start + members] = order
    groups = flat.reshape(-1, size)
    groups.flags.writeable = False
    return groups
