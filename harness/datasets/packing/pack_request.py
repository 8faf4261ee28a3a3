"""The request for a pack: its items, its reader and its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import Corpus, item_dimensions
from harness.data.table_digest import table_digest
from harness.records.documents import digest

CHUNK = 32
"""Items a worker decodes before it reports back: a progress bar that moves, little traffic."""

CHUNKS_A_PROCESS = 4
"""Fewer are decoded in less time than another process takes to start."""

LONG_CHUNK_S = 600.0
"""A chunk of long recordings ends here."""

Advance = Callable[[int], None]
"""Receives the count of items that were decoded since the last call."""

MessageCallback = Callable[[str], None]
"""Receives messages for a person who waits."""


def ignore_count(count: int) -> None:
    """Drop a count of decoded items."""
    del count


def ignore_message(message: str) -> None:
    """Drop a message."""
    del message


@dataclass(frozen=True)
class PackRequest:
    """Items that are to be packed, their reader, and the pack's folder.

    Attributes:
        folder: the pack's; it appears there whole or not at all.
        corpus: the reader.
        source: the corpus's folder.
        items: the item table, in pack order.
        advance: receives the count of items that were decoded since the last call.
        workers: processes that decode; None takes one a core.
        tell: receives messages for a person who waits.
        title: name of the pack for a person; the folder's name if it is empty.
    """

    folder: Path
    corpus: Corpus
    source: Path
    items: pd.DataFrame
    advance: Advance
    workers: int | None = None
    tell: MessageCallback = ignore_message
    title: str = ""

    @property
    def name(self) -> str:
        """Name of the pack, for a person."""
        return self.title or self.folder.name

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one number."""
        kinds: dict[str, type[np.generic]] = {"audio": np.int16, "vectors": np.float32}
        return np.dtype(kinds.get(self.corpus.kind, np.uint8))

    @property
    def dimensions(self) -> int:
        """Dimensions of one item."""
        return item_dimensions(self.corpus)

    def processes_for(self, chunks: int) -> int:
        """Return the number of processes that decode so many chunks; one is this process itself."""
        return max(1, min(self.workers or os.cpu_count() or 1, chunks // CHUNKS_A_PROCESS))

    def key(self) -> str:
        """Return one hash over all that decides the pack's content, except the files themselves."""
        made_from = {
            "items": table_digest(self.items, tuple(self.items.columns)),
            "corpus": f"{type(self.corpus).__qualname__} {self.corpus!r}",
            "version": self.corpus.version,
            "folder": str(self.source.resolve()),
            "dtype": self.dtype.name,
        }
        return digest(made_from)

    def chunks(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Cut rows of the item table into chunks for the workers."""
        seconds = self.items["seconds"].to_numpy(float)[rows]
        chunks, begin, held = [], 0, 0.0
        for place, length in enumerate(seconds.tolist()):
            if place > begin and (place - begin == CHUNK or held + length > LONG_CHUNK_S):
                chunks.append(rows[begin:place])
                begin, held = place, 0.0
            held += length
        return [*chunks, rows[begin:]] if len(rows) else []
