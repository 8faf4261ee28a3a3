"""The same sound under two names: across splits, a system would be tested on what it was taught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets.packing.content import Pack

KEPT_FIRST = ("test", "validation", "train")
"""The copy in the first of these splits is kept, those in the others are not used."""


def duplicates(pack: Pack) -> list[list[int]]:
    """Rows of the items that hold the same numbers, in groups; what could not be read is in none.

    Args:
        pack: of sounds; pictures may well be equal.
    """
    read = np.ones(len(pack.hashes), bool)
    read[[row for row in pack.damaged if row < len(read)]] = False
    usable = np.flatnonzero(read)
    # Numbers sort far faster than bytes do: the few whose beginnings are equal are compared whole.
    alike = usable[_repeated(pack.hashes[usable, :8], "u8")[0]]
    several, group = _repeated(pack.hashes[alike], "V32")
    rows = pd.Series(alike[several]).groupby(group[several]).agg(list)
    return sorted(rows.tolist())


def copies_across_splits(pack: Pack, items: pd.DataFrame) -> dict[int, str]:
    """Rows of copies that must not be used beside their originals -> why.

    A copy in training of what is held out, and one in validation of what is tested.

    Args:
        pack: of sounds.
        items: the item table, with each item's split.
    """
    ids, splits = items["id"].tolist(), items["split"].tolist()
    found = {}
    for rows in duplicates(pack):
        kept = min(rows, key=lambda row: KEPT_FIRST.index(splits[row]))
        for row in rows:
            if splits[row] != splits[kept]:
                found[row] = f"same audio as {ids[kept]} of {splits[kept]}"
    return found


def without_copies(pack: Pack, items: pd.DataFrame) -> Pack:
    """The pack with copies across splits counted as damage."""
    return replace(pack, damaged={**copies_across_splits(pack, items), **pack.damaged})


def copies_within_splits(pack: Pack, items: pd.DataFrame) -> list[list[str]]:
    """Ids of the items of one split that hold the same numbers, in groups."""
    groups = []
    for rows in duplicates(pack):
        table = items.iloc[rows]
        for _, part in table.groupby("split", sort=False):
            if len(part) > 1:
                groups.append(part["id"].tolist())
    return groups


def _repeated(hashes: NDArray[np.uint8], dtype: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the hashes that come several times, and a number for each that equal ones share."""
    keys = np.ascontiguousarray(hashes).view(dtype).ravel()
    _, group, count = np.unique(keys, return_inverse=True, return_counts=True)
    return np.flatnonzero(count[group] > 1), group
