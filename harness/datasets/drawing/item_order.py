"""Items in an order that no table decides, and how many pairs of them there are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.split import hash_order

Counts = NDArray[np.int64]

Relation = Literal["any", "same", "cross"]
"""Whether two items must be of one session (or gender), of two, or as they come."""

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class ItemOrder:
    """Items in the order of their labels' hashes, those of a label in that of their own.

    Attributes:
        ids: `[items]`.
        label: numbers of labels from 0, rising, `[items]`.
        session, gender: numbers, `UNKNOWN` where the corpus does not tell, `[items]`.
    """

    ids: NDArray[Any]
    label: Counts
    session: Counts
    gender: Counts

    @cached_property
    def size(self) -> Counts:
        """How many items each label has, `[labels]`."""
        return np.bincount(self.label).astype(np.int64)

    @cached_property
    def start(self) -> Counts:
        """Where each label's items begin, `[labels]`."""
        return np.cumsum(self.size) - self.size

    @cached_property
    def label_gender(self) -> Counts:
        """The gender of each label's first item, `[labels]`."""
        return self.gender[self.start]

    def mixed_labels(self) -> Counts:
        """The labels with items of more than one gender."""
        return np.unique(self.label[self.gender != self.label_gender[self.label]])

    def target_room(self, relation: Relation) -> Counts:
        """How many pairs of items each label has within itself, by session, `[labels]`."""
        if relation == "any":
            return _pairs(self.size)
        known = self.session != UNKNOWN
        sessions = np.stack([self.label[known], self.session[known]], axis=1)
        groups, sizes = np.unique(sessions, axis=0, return_counts=True)
        same = np.zeros(len(self.size), dtype=np.int64)
        np.add.at(same, groups[:, 0], _pairs(sizes))
        whole = _pairs(np.bincount(self.label[known], minlength=len(self.size)))
        return same if relation == "same" else whole - same

    def nontarget_room(self, relation: Relation) -> int:
        """How many pairs of items of two labels there are, by gender."""
        if relation == "any":
            return _between(self.size)
        genders = np.unique(self.label_gender[self.label_gender != UNKNOWN])
        sides = [self.size[self.label_gender == gender] for gender in genders]
        if relation == "same":
            return sum(_between(side) for side in sides)
        return _between(np.array([side.sum() for side in sides], dtype=np.int64))


def item_order(items: pd.DataFrame, seed: int) -> ItemOrder:
    """Put a split's items in order; `session` and `gender` are used where they are columns."""
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


def _pairs(sizes: NDArray[Any]) -> Counts:
    return np.asarray(sizes * (sizes - 1) // 2, dtype=np.int64)


def _between(sizes: Counts) -> int:
    return int((sizes.sum() ** 2 - (sizes**2).sum()) // 2)
