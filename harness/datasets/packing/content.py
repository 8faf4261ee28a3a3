"""A finished pack: what it holds, and its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets.packing.batch import HASH_BYTES, Batch, by_row
from harness.records.documents import readable_json
from harness.records.files import atomic_file

FORMAT = 2
"""Of the files; a pack of another format is made anew."""

READING = 2
"""Of the rules by which files become items, raised when some files become others; a pack of files
that was made by other rules is made anew."""

VALUES, SHAPES, HASHES, STAMPS, FACTS = (
    "values",
    "shapes.npy",
    "hashes.npy",
    "stamps.npy",
    "facts.json",
)


def _no_hashes() -> NDArray[np.uint8]:
    return np.zeros((0, HASH_BYTES), np.uint8)


def _no_stamps() -> NDArray[np.int64]:
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True)
class Pack:
    """Items of one kind, end to end in one memory-mapped file.

    Attributes:
        values: all items' numbers, flat.
        offsets: where each item begins, and the end, `[items + 1]`.
        shapes: each item's shape, `[items, dimensions]`.
        content: sha256 of all numbers in order.
        damaged: row of the item table -> why it cannot be used; what could not be read is empty.
        hashes: sha256 of each item's numbers, `[items, 32]`; zeros where it could not be read.
        stamps: size and time of change (ns) of each item's file when it was read, `[items, 2]`.
        notes: row of the item table -> a remark on what was read.
        reading: the rules by which files were read.
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    shapes: NDArray[np.int64]
    content: str
    damaged: dict[int, str]
    hashes: NDArray[np.uint8] = field(default_factory=_no_hashes)
    stamps: NDArray[np.int64] = field(default_factory=_no_stamps)
    notes: dict[int, str] = field(default_factory=dict)
    reading: int = READING

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def batch(self) -> Batch:
        """What is known of its items."""
        return Batch(self.shapes, self.hashes, self.stamps, self.damaged, self.notes)

    def item(self, index: int) -> NDArray[Any]:
        """One item in its own shape."""
        flat = self.values[self.offsets[index] : self.offsets[index + 1]]
        return flat.reshape(self.shapes[index])

    def length(self, index: int) -> int:
        """How many numbers an item holds."""
        return int(self.offsets[index + 1] - self.offsets[index])

    def span(self, index: int, start: int, count: int) -> NDArray[Any]:
        """`count` numbers of an item from `start`; short items are tiled."""
        item = self.values[self.offsets[index] : self.offsets[index + 1]]
        if len(item) < start + count:
            item = np.resize(item, start + count)
        return item[start : start + count]


def open_pack(folder: Path) -> Pack | None:
    """Open a pack; None where there is none, or one of another format."""
    if not (folder / FACTS).is_file():
        return None
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    if facts.get("format") != FORMAT:
        return None
    shapes = np.load(folder / SHAPES)
    offsets = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))]).astype(np.int64)
    dtype = np.dtype(facts["dtype"])
    empty = offsets[-1] == 0
    values = np.zeros(0, dtype) if empty else np.memmap(folder / VALUES, dtype, mode="r")
    return Pack(
        values,
        offsets,
        shapes,
        facts["content"],
        by_row(facts["damaged"]),
        np.load(folder / HASHES),
        np.load(folder / STAMPS),
        by_row(facts.get("notes", {})),
        facts.get("reading", 1),
    )


def write_tables(folder: Path, batch: Batch, dtype: np.dtype[Any], content: str) -> None:
    """Write all files of a pack but its numbers, which lie there already."""
    np.save(folder / SHAPES, batch.shapes)
    np.save(folder / HASHES, batch.hashes)
    np.save(folder / STAMPS, batch.stamps)
    facts = {
        "format": FORMAT,
        "reading": READING,
        "content": content,
        "dtype": dtype.name,
        "damaged": {str(row): why for row, why in sorted(batch.damaged.items())},
        "notes": {str(row): note for row, note in sorted(batch.notes.items())},
    }
    (folder / FACTS).write_text(readable_json(facts), encoding="utf-8")


def write_stamps(folder: Path, stamps: NDArray[np.int64]) -> None:
    """Keep that the files were looked at again, and hold what they held."""
    with atomic_file(folder / STAMPS) as file:
        np.save(file, stamps)


def noted(pack: Pack, items: pd.DataFrame) -> str:
    """Count the items that were read with a note, and name the first of them."""
    row = min(pack.notes)
    first = f"{items['source'].iloc[row]}: {pack.notes[row]}"
    return f"{len(pack.notes):,} of {len(pack):,} items were read with a note, the first {first}"
