"""Facts about the items of a pack beside their numbers, a row each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

HASH_BYTES = 32

Records = NDArray[np.void]
"""Facts about items beside their numbers, one row an item (see `item_records`)."""


def item_records(
    shapes: NDArray[np.int64],
    hashes: NDArray[np.uint8],
    stamps: NDArray[np.int64],
    damaged: Mapping[int, str],
    notes: Mapping[int, str],
) -> Records:
    """Return a table with a row for each item; slices and concatenations of it are tables too.

    Args:
        shapes: of each item, `[items, dimensions]`.
        hashes: sha256 of each item's numbers, `[items, 32]`; zeros if it is damaged.
        stamps: size and time of change (ns) of each item's file when it was read, `[items, 2]`;
            zeros if there is no such file.
        damaged: row -> reason why the item could not be read.
        notes: row -> remark on an item that was read.

    Returns:
        Fields `shape`, `hash`, `stamp`, `damage` and `note`; the last two are None by default.
    """
    records = no_records(len(shapes), shapes.shape[1])
    records["shape"], records["hash"], records["stamp"] = shapes, hashes, stamps
    for column, texts in (("damage", damaged), ("note", notes)):
        for row, text in texts.items():
            records[column][row] = text
    return records


def no_records(items: int, dimensions: int) -> Records:
    """Return a table of empty items, `hash` and `stamp` zeros, `damage` and `note` None."""
    numbers = [("shape", "i8", (dimensions,)), ("hash", "u1", (HASH_BYTES,)), ("stamp", "i8", (2,))]
    records = np.zeros(items, np.dtype([*numbers, ("damage", object), ("note", object)]))
    records["damage"] = records["note"] = None
    return records


def total_size(records: Records) -> int:
    """Return the count of numbers in all items together."""
    return int(records["shape"].prod(axis=1).sum())


def texts_by_row(texts: NDArray[np.object_]) -> dict[int, str]:
    """Return row -> text for the rows that have one."""
    return {row: text for row, text in enumerate(texts.tolist()) if text is not None}


def parse_rows(texts: Mapping[str, str]) -> dict[int, str]:
    """Return row -> text in order of rows, which JSON has as words."""
    return {int(row): texts[row] for row in sorted(texts, key=int)}
