"""A pack that is being made: its numbers, and a journal of how many of them are on the disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from harness.datasets.packing.decoding import Chunk
from harness.datasets.packing.item_records import (
    HASH_BYTES,
    Records,
    item_records,
    no_records,
    parse_rows,
    texts_by_row,
    total_size,
)
from harness.datasets.packing.pack import VALUES
from harness.datasets.packing.pack_files import write_tables
from harness.records.files import write_text

JOURNAL = "journal"

CERTAIN_ITEMS = 256
CERTAIN_BYTES = 64 << 20
"""After so much that is new, all of it is flushed to the disk: a kill loses no more."""

READ_BYTES = 16 << 20

NOT_OPEN = -1


class Unfinished:
    """Append-only writer of a pack; items in the journal have been flushed to the disk."""

    def __init__(self, folder: Path, key: str, dtype: np.dtype[Any], dimensions: int) -> None:
        """Resume what a killed process left, if it packed the same.

        Args:
            folder: of the unfinished pack.
            key: of its content; what was left of anything else is dropped.
            dtype: of one number.
            dimensions: of one item.
        """
        self.folder = folder
        self._key, self._dtype, self._dimensions = key, dtype, dimensions
        self._values = self._journal = NOT_OPEN
        self._new_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._certain = list(self._read_journal())
        self._pending: list[Records] = []
        self.cut(len(self))

    def __enter__(self) -> Unfinished:
        return self

    def __exit__(self, *ending: object) -> None:
        self._close()

    def __len__(self) -> int:
        """Return the count of items that are on the disk."""
        return sum(map(len, self._certain))

    def records(self) -> Records:
        """Return the facts about the items that are on the disk."""
        return np.concatenate([no_records(0, self._dimensions), *self._certain])

    def cut(self, items: int) -> None:
        """Go back to the first so many items."""
        self._close()
        kept = self.records()[:items]
        self._certain = [kept] if items else []
        lines = [journal_line(records) for records in self._certain]
        write_text(self.folder / JOURNAL, "".join([f"{self._key}\n", *lines]))
        self._values = os.open(self.folder / VALUES, os.O_RDWR | os.O_CREAT, 0o644)
        self._journal = os.open(self.folder / JOURNAL, os.O_WRONLY | os.O_APPEND)
        os.ftruncate(self._values, total_size(kept) * self._dtype.itemsize)
        self._hasher = hashlib.sha256()
        while part := os.read(self._values, READ_BYTES):
            self._hasher.update(part)

    def append(self, chunk: Chunk) -> None:
        """Write a chunk, and flush to the disk from time to time."""
        content = chunk.values.tobytes()
        _write(self._values, content)
        self._hasher.update(content)
        self._pending.append(chunk.records)
        self._new_bytes += len(content)
        if sum(map(len, self._pending)) >= CERTAIN_ITEMS or self._new_bytes >= CERTAIN_BYTES:
            self._flush()

    def finish(self) -> None:
        """Flush, and write the tables of a finished pack."""
        if self._pending:
            self._flush()
        write_tables(self.folder, self.records(), self._dtype, self._hasher.hexdigest())

    def _flush(self) -> None:
        """Put all that was appended on the disk, and only then into the journal."""
        os.fsync(self._values)
        new = np.concatenate(self._pending)
        _write(self._journal, journal_line(new).encode())
        os.fsync(self._journal)
        self._certain.append(new)
        self._pending, self._new_bytes = [], 0

    def _read_journal(self) -> Iterator[Records]:
        """Yield the items of each line whose numbers are there, up to the first torn or wrong."""
        journal, values = self.folder / JOURNAL, self.folder / VALUES
        if not (journal.is_file() and values.is_file()):
            return
        left = values.stat().st_size // self._dtype.itemsize
        with (
            journal.open(encoding="utf-8", newline="\n", errors="replace") as lines,
            values.open("rb") as numbers,
        ):
            if next(lines, "") != self._key + "\n":
                return
            for line in lines:
                records = parse_journal_line(line)
                left -= 0 if records is None else total_size(records)
                if records is None or left < 0 or not self._are_whole(records, numbers):
                    return
                yield records

    def _are_whole(self, records: Records, numbers: IO[bytes]) -> bool:
        """Read the numbers of items, and return whether they are those that were packed."""
        sizes = records["shape"].prod(axis=1) * self._dtype.itemsize
        return all(
            hashlib.sha256(numbers.read(size)).digest() == record["hash"].tobytes()
            for size, record in zip(sizes.tolist(), records, strict=True)
            if size
        )

    def _close(self) -> None:
        for handle in {self._values, self._journal} - {NOT_OPEN}:
            os.close(handle)
        self._values = self._journal = NOT_OPEN


def journal_line(records: Records) -> str:
    """Return one line of a journal."""
    content = {
        "shapes": records["shape"].tolist(),
        "hashes": records["hash"].tobytes().hex(),
        "stamps": records["stamp"].tolist(),
        "damaged": texts_by_row(records["damage"]),
        "notes": texts_by_row(records["note"]),
    }
    return json.dumps(content, ensure_ascii=True) + "\n"


def parse_journal_line(line: str) -> Records | None:
    """Read a line of a journal; return None if it is torn."""
    if not line.endswith("\n"):
        return None
    try:
        content: dict[str, Any] = json.loads(line)
        return item_records(
            np.array(content["shapes"], np.int64),
            np.frombuffer(bytes.fromhex(content["hashes"]), np.uint8).reshape(-1, HASH_BYTES),
            np.array(content["stamps"], np.int64).reshape(-1, 2),
            parse_rows(content["damaged"]),
            parse_rows(content["notes"]),
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return None


def _write(handle: int, content: bytes) -> None:
    """Write all of it, without a buffer: a full disk is noticed here and not on closing."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
