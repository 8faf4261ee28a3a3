"""A finished pack: its items, and its files on the disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.records.documents import readable_json
from harness.records.files import atomic_file

FORMAT = 2
"""Of the files; a pack of another format is made anew."""

READING = 2
"""Of the rules by which files become items, raised when some files become others; a pack of files
that was made by other rules is made anew."""

VALUES, FACTS = "values", "facts.json"
SHAPES, HASHES, STAMPS = "shapes.npy", "hashes.npy", "stamps.npy"

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


@dataclass(frozen=True)
class Pack:
    """Items of one kind, end to end in one memory-mapped file.

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

    def __len__(self) -> int:
        return len(self.shapes)

    def records(self) -> Records:
        """Return the facts about all items as a new table."""
        return item_records(self.shapes, self.hashes, self.stamps, self.damaged, self.notes)

    def flat(self, begin: int, end: int) -> NDArray[Any]:
        """Return the numbers of neighbouring items, `end` excluded, end to end."""
        return self.values[self.offsets[begin] : self.offsets[end]]

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


def open_pack(folder: Path) -> Pack | None:
    """Open a pack; return None if there is none, or one of another format."""
    if not (folder / FACTS).is_file():
        return None
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    if facts.get("format") != FORMAT:
        return None
    shapes = np.load(folder / SHAPES)
    offsets = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))]).astype(np.int64)
    dtype = np.dtype(facts["dtype"])
    empty = offsets[-1] == 0
    return Pack(
        np.zeros(0, dtype) if empty else np.memmap(folder / VALUES, dtype, mode="r"),
        offsets,
        shapes,
        facts["content"],
        parse_rows(facts["damaged"]),
        np.load(folder / HASHES),
        np.load(folder / STAMPS),
        parse_rows(facts.get("notes", {})),
        facts.get("reading", 1),
    )


def write_tables(folder: Path, records: Records, dtype: np.dtype[Any], content: str) -> None:
    """Write all files of a pack except its numbers, which are there already."""
    for name, column in ((SHAPES, "shape"), (HASHES, "hash"), (STAMPS, "stamp")):
        np.save(folder / name, np.ascontiguousarray(records[column]))
    facts = {
        "format": FORMAT,
        "reading": READING,
        "content": content,
        "dtype": dtype.name,
        "damaged": {str(row): why for row, why in texts_by_row(records["damage"]).items()},
        "notes": {str(row): note for row, note in texts_by_row(records["note"]).items()},
    }
    (folder / FACTS).write_text(readable_json(facts), encoding="utf-8")


def write_stamps(folder: Path, stamps: NDArray[np.int64]) -> None:
    """Record the files' new stamps after their content was found unchanged."""
    with atomic_file(folder / STAMPS) as file:
        np.save(file, stamps)


def note_summary(pack: Pack, items: pd.DataFrame) -> str:
    """Count the items that were read with a note, and name the first of them."""
    row = min(pack.notes)
    first = f"{items['source'].iloc[row]}: {pack.notes[row]}"
    return f"{len(pack.notes):,} of {len(pack):,} items were read with a note, the first {first}"
