"""The files of a pack on the disk: read, each table held against its hash, and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128

from harness.datasets.packing.item_records import HASH_BYTES, Records, parse_rows, texts_by_row
from harness.datasets.packing.pack import READING, VALUES, DamagedItems, Pack
from harness.records.damage import DamagedFile, set_aside
from harness.records.documents import digest, readable_json, sha256
from harness.records.files import atomic_file, read_bytes, write_text
from harness.records.npz import BROKEN_ARRAY

FORMAT = 2
"""Of the files; a pack of another format is made anew."""

FACTS = "facts.json"
SHAPES, HASHES, STAMPS = "shapes.npy", "hashes.npy", "stamps.npy"

FAST = "fast.npy"
"""XXH3 of 128 bits of each item: 30 times as fast as its sha256, which finds damage in the packs
that were made without."""

FAST_BYTES = 16

TABLES, OWN = "tables", "own"
"""Keys of the facts: hashes of the tables, and of the facts themselves. Older packs lack them."""


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
