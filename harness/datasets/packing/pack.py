"""A finished pack: its items, and its files on the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from xxhash import xxh3_128

from harness.records.damage import DamagedFile, set_aside
from harness.records.documents import digest, readable_json, sha256
from harness.records.files import atomic_file, read_bytes, write_text
from harness.records.npz import BROKEN_ARRAY

FORMAT = 2
"""Of the files; a pack of another format is made anew."""

READING = 2
"""Of the rules by which files become items, raised when some files become others; a pack of files
that was made by other rules is made anew."""

VALUES, FACTS = "values", "facts.json"
SHAPES, HASHES, STAMPS = "shapes.npy", "hashes.npy", "stamps.npy"

FAST = "fast.npy"
"""XXH3 of 128 bits of each item: 30 times as fast as its sha256, which finds damage in the packs
that were made without."""

HASH_BYTES, FAST_BYTES = 32, 16

TABLES, OWN = "tables", "own"
"""Keys of the facts: hashes of the tables, and of the facts themselves. Older packs lack them."""

MENDERS: dict[Path, Callable[[list[int]], None]] = {}
"""Folder of a pack -> function that reads items of it again, for the packs that this process
opened by their corpus. Processes that make inputs have none: who started them mends."""

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


def open_pack(folder: Path) -> Pack | None:
    """Open a pack; return None if there is none, one of another format, or a damaged one."""
    try:
        return read_pack(folder)
    except DamagedFile:
        return None


def read_pack(folder: Path) -> Pack | None:
    """Open a pack; return None if there is none, or one of another format.

    Raises:
        DamagedFile: its files are not what was written, or do not belong together.
    """
    if not (folder / FACTS).is_file():
        return None
    facts = _read_facts(folder)
    if facts.get("format") != FORMAT:
        return None
    try:
        damaged, notes = parse_rows(facts["damaged"]), parse_rows(facts.get("notes", {}))
        dtype, content, tables = np.dtype(facts["dtype"]), facts["content"], facts.get(TABLES, {})
        reading = facts.get("reading", 1)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFile(f"{folder / FACTS}: holds no facts of a pack") from error
    shapes = _read_table(folder / SHAPES, tables)
    hashes = _read_table(folder / HASHES, tables)
    offsets = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))]).astype(np.int64)
    fast = _read_table(folder / FAST, tables) if FAST in tables else None
    values, size = folder / VALUES, int(offsets[-1]) * dtype.itemsize
    if hashes.shape != (len(shapes), HASH_BYTES) or shapes.min(initial=0) < 0:
        raise DamagedFile(f"{folder}: its tables do not belong together")
    if not values.is_file() or values.stat().st_size != size:
        raise DamagedFile(f"{values}: is absent or has not its {size:,} bytes")
    return Pack(
        np.memmap(values, dtype, mode="r") if size else np.zeros(0, dtype),
        offsets,
        shapes,
        content,
        damaged,
        hashes,
        _read_stamps(folder, len(shapes)),
        notes,
        reading,
        folder,
        np.zeros(len(shapes), bool),
        fast,
    )


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads(read_bytes(folder / FACTS))
        own = facts.pop(OWN, None)
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise DamagedFile(f"{folder / FACTS}: not JSON of ours") from error
    if own not in (None, digest(facts)):
        raise DamagedFile(f"{folder / FACTS}: is not what was written")
    return dict(facts)


def _read_table(path: Path, hashes: Mapping[str, str]) -> NDArray[Any]:
    """Read a table with a row an item, of integers."""
    if not path.is_file():
        raise DamagedFile(f"{path}: is absent")
    if hashes and sha256(read_bytes(path)) != hashes[path.name]:
        raise DamagedFile(f"{path}: is not what was written")
    try:
        table: NDArray[Any] = np.load(path)
    except (*BROKEN_ARRAY, EOFError, BadZipFile) as error:
        raise DamagedFile(f"{path}: not a table") from error
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.dtype.kind not in "iu":
        raise DamagedFile(f"{path}: not a table of integers")
    return table


def _read_stamps(folder: Path, items: int) -> NDArray[np.int64]:
    """Read the stamps; where they are damaged no file has its own, and all are read again."""
    try:
        stamps = _read_table(folder / STAMPS, {})
        if stamps.shape == (items, 2):
            return stamps.astype(np.int64, copy=False)
        raise DamagedFile(f"{folder / STAMPS}: belongs to other items")
    except DamagedFile as error:
        set_aside(folder / STAMPS, str(error), "every file is read again")
    return np.full((items, 2), -1, np.int64)


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
    _write_facts(folder, facts)


def add_hashes(folder: Path) -> None:
    """Give an older pack the hashes of its tables."""
    facts = _read_facts(folder)
    if TABLES not in facts:
        _write_facts(folder, facts)


def add_fast_hashes(folder: Path) -> None:
    """Give a pack that was just made the hashes that its items are held against.

    Raises:
        DamagedItems: the disk does not give what was written.
    """
    pack = read_pack(folder)
    if pack is None:
        raise TypeError(f"{folder}: holds no pack")
    if damaged := pack.find_damage(0, len(pack)):
        raise DamagedItems(folder, damaged)
    items = (pack.values[first:after].data for first, after in pairwise(pack.offsets.tolist()))
    found = b"".join(xxh3_128(item).digest() for item in items)
    with atomic_file(folder / FAST) as file:
        np.save(file, np.frombuffer(found, np.uint8).reshape(-1, FAST_BYTES))
    _write_facts(folder, _read_facts(folder))


def _write_facts(folder: Path, facts: dict[str, Any]) -> None:
    there = (name for name in (SHAPES, HASHES, FAST) if (folder / name).exists())
    hashes = {name: sha256(read_bytes(folder / name)) for name in there}
    facts = {**facts, TABLES: hashes}
    write_text(folder / FACTS, readable_json({**facts, OWN: digest(facts)}))


def write_stamps(folder: Path, stamps: NDArray[np.int64]) -> None:
    """Record the files' new stamps after their content was found unchanged."""
    with atomic_file(folder / STAMPS) as file:
        np.save(file, stamps)


def note_summary(pack: Pack, items: pd.DataFrame) -> str:
    """Count the items that were read with a note, and name the first of them."""
    row = min(pack.notes)
    first = f"{items['source'].iloc[row]}: {pack.notes[row]}"
    return f"{len(pack.notes):,} of {len(pack):,} items were read with a note, the first {first}"
