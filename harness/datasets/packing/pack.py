"""A finished pack: its items, each held against its hash when it is first used, and mended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from xxhash import xxh3_128

from harness.datasets.packing.item_records import HASH_BYTES, Records, item_records
from harness.records.damage import DamagedFile

READING = 2
"""Of the rules by which files become items, raised when some files become others; a pack of files
that was made by other rules is made anew."""

VALUES = "values"
"""The file of all items' numbers."""

MENDERS: dict[Path, Callable[[list[int]], None]] = {}
"""Folder of a pack -> function that reads items of it again, for the packs that this process
opened by their corpus. Processes that make inputs have none: who started them mends."""


class DamagedItems(DamagedFile):
    """Items of a pack do not hold what was packed, and this process cannot read them again."""

    def __init__(self, folder: Path, rows: list[int]) -> None:
        super().__init__(
            f"{folder / VALUES}: {len(rows)} items are damaged, the first in row {rows[0]}; delete "
            f"{folder}, and its dataset is packed anew"
        )
        self.folder, self.rows = folder, rows

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.folder, self.rows)


def mend_items(damage: DamagedItems) -> None:
    """Read damaged items again from their files, and write them into their pack.

    Raises:
        DamagedItems: nobody here knows their files.
        DataError: their files are absent, damaged or others now.
    """
    mender = MENDERS.get(damage.folder)
    if mender is None:
        raise damage
    mender(damage.rows)


@dataclass(frozen=True)
class Pack:
    """Items of one kind, end to end in one memory-mapped file.

    Each item is held against its hash when this process first uses it; damaged ones are mended.

    Attributes:
        values: all items' numbers, flat.
        offsets: start of each item, and the end of the last, `[items + 1]`.
        shapes: each item's shape, `[items, dimensions]`.
        content: sha256 of all numbers in order.
        damaged: row of the item table -> reason why it cannot be used; an item that could not be
            read is empty.
        hashes: sha256 of each item's numbers, `[items, 32]`; zeros if it could not be read.
        stamps: size and time of change (ns) of each item's file when it was read, `[items, 2]`.
        notes: row of the item table -> remark on an item that was read.
        reading: version of the rules by which files were read.
        folder: of its files; None for one in memory, which nothing is held against.
        held: tells of each item whether it was found whole, `[items]`; it fills with use.
        fast: XXH3 of each item's numbers, `[items, 16]`; None for an older pack.
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    shapes: NDArray[np.int64]
    content: str
    damaged: dict[int, str]
    hashes: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, HASH_BYTES), np.uint8))
    stamps: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    notes: dict[int, str] = field(default_factory=dict)
    reading: int = READING
    folder: Path | None = None
    held: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    fast: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.shapes)

    def records(self) -> Records:
        """Return the facts about all items as a new table."""
        return item_records(self.shapes, self.hashes, self.stamps, self.damaged, self.notes)

    def flat(self, begin: int, end: int) -> NDArray[Any]:
        """Return the numbers of neighbouring items, `end` excluded, end to end.

        Raises:
            DamagedItems: they are not what was packed, and cannot be read again in this process.
            DataError: they are not, and their files are absent, damaged or others now.
        """
        if self.folder is not None and not self.held[begin:end].all():
            if damaged := self.find_damage(begin, end):
                mend_items(DamagedItems(self.folder, damaged))
            self.held[begin:end] = True
        return self.values[self.offsets[begin] : self.offsets[end]]

    def find_damage(self, begin: int, end: int) -> list[int]:
        """Return the rows of neighbouring items, `end` excluded, that are not as they were packed.

        Items that could not be read are empty and never damaged.
        """
        bounds = self.offsets[begin : end + 1].tolist()
        hasher: Callable[[Any], Any] = hashlib.sha256 if self.fast is None else xxh3_128
        known = self.hashes if self.fast is None else self.fast
        return [
            row
            for row, first, after in zip(range(begin, end), bounds, bounds[1:], strict=False)
            if after > first
            and hasher(self.values[first:after].data).digest() != known[row].tobytes()
        ]

    def item(self, index: int) -> NDArray[Any]:
        """Return one item in its own shape."""
        return self.flat(index, index + 1).reshape(self.shapes[index])

    def length(self, index: int) -> int:
        """Return the count of numbers in an item."""
        return int(self.offsets[index + 1] - self.offsets[index])

    def span(self, index: int, start: int, count: int) -> NDArray[Any]:
        """Return `count` numbers of an item from `start`; short items are tiled."""
        return tiled_span(self.flat(index, index + 1), start, count)


def tiled_span(item: NDArray[Any], start: int, count: int) -> NDArray[Any]:
    """Return `count` numbers of a flat item from `start`, repeating the item if it is too short."""
    if len(item) < start + count:
        item = np.resize(item, start + count)
    return item[start : start + count]


def note_summary(pack: Pack, items: pd.DataFrame) -> str:
    """Count the items that were read with a note, and name the first of them."""
    row = min(pack.notes)
    first = f"{items['source'].iloc[row]}: {pack.notes[row]}"
    return f"{len(pack.notes):,} of {len(pack):,} items were read with a note, the first {first}"
