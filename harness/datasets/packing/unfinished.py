"""A pack that is being made: its numbers, and a journal of how many of them are certain."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.datasets.packing.batch import Batch, batch_of_line, joined
from harness.datasets.packing.content import VALUES, write_tables
from harness.datasets.packing.decoding import Chunk
from harness.records.files import write_text

JOURNAL = "journal"

CERTAIN_ITEMS = 256
CERTAIN_BYTES = 64 << 20
"""After so much that is new, all of it is made certain: a kill loses no more."""

READ_BYTES = 16 << 20

NOT_OPEN = -1


class Unfinished:
    """Numbers are appended; what the journal tells of is on disk, what comes after may not be."""

    def __init__(self, folder: Path, key: str, dtype: np.dtype[Any], dimensions: int) -> None:
        """Take up what a killed process left, where it was to hold the same.

        Args:
            folder: where it is made.
            key: what is packed; what was left of anything else is dropped.
            dtype: of one number.
            dimensions: of one item.
        """
        self.folder = folder
        self._key, self._dtype, self._dimensions = key, dtype, dimensions
        self._values = self._journal = NOT_OPEN
        self._new_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._certain = list(self._journaled())
        self._pending: list[Batch] = []
        self.cut(len(self.batch()))

    def __enter__(self) -> Unfinished:
        return self

    def __exit__(self, *ending: object) -> None:
        self._close()

    def __len__(self) -> int:
        """How many items are certain."""
        return sum(map(len, self._certain))

    def batch(self) -> Batch:
        """What is certain."""
        return joined(self._certain, self._dimensions)

    def cut(self, items: int) -> None:
        """Go back to the first so many items."""
        self._close()
        kept = self.batch().part(0, items)
        self._certain = [kept] if items else []
        lines = [batch.line() for batch in self._certain]
        write_text(self.folder / JOURNAL, "".join([f"{self._key}\n", *lines]))
        self._values = os.open(self.folder / VALUES, os.O_RDWR | os.O_CREAT, 0o644)
        self._journal = os.open(self.folder / JOURNAL, os.O_WRONLY | os.O_APPEND)
        os.ftruncate(self._values, kept.numbers * self._dtype.itemsize)
        self._hasher = hashlib.sha256()
        while part := os.read(self._values, READ_BYTES):
            self._hasher.update(part)

    def append(self, chunk: Chunk) -> None:
        """Add what was read, and make it certain from time to time."""
        content = chunk.values.tobytes()
        _write(self._values, content)
        self._hasher.update(content)
        self._pending.append(chunk.batch)
        self._new_bytes += len(content)
        items = sum(len(batch) for batch in self._pending)
        if items >= CERTAIN_ITEMS or self._new_bytes >= CERTAIN_BYTES:
            self.make_certain()

    def make_certain(self) -> None:
        """Have all that was added on disk, and only then say so."""
        os.fsync(self._values)
        new = joined(self._pending, self._dimensions)
        _write(self._journal, new.line().encode())
        os.fsync(self._journal)
        self._certain.append(new)
        self._pending, self._new_bytes = [], 0

    def finish(self) -> None:
        """Write what a finished pack has beside its numbers."""
        if self._pending:
            self.make_certain()
        write_tables(self.folder, self.batch(), self._dtype, self._hasher.hexdigest())

    def _journaled(self) -> Iterator[Batch]:
        """What the journal tells of and is there."""
        journal, values = self.folder / JOURNAL, self.folder / VALUES
        if not (journal.is_file() and values.is_file()):
            return
        room = values.stat().st_size // self._dtype.itemsize
        with journal.open(encoding="utf-8", newline="\n", errors="replace") as lines:
            if next(lines, "") != self._key + "\n":
                return
            for line in lines:
                batch = batch_of_line(line)
                room -= batch.numbers if batch else 0
                if batch is None or room < 0:
                    return
                yield batch

    def _close(self) -> None:
        for handle in {self._values, self._journal} - {NOT_OPEN}:
            os.close(handle)
        self._values = self._journal = NOT_OPEN


def _write(handle: int, content: bytes) -> None:
    """Write all of it, without a buffer: a full disk is noticed here and not on closing."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
