"""What is to be packed, and where."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.data.corpus import Corpus
from harness.data.table_digest import table_digest
from harness.records.documents import digest

Advance = Callable[[int], None]

Tell = Callable[[str], None]


def silent(message: str) -> None:
    """Tell nobody."""
    del message


@dataclass(frozen=True)
class PackRequest:
    """What is to be packed, and where.

    Attributes:
        folder: where the pack lies; it appears there whole or not at all.
        corpus: the reader.
        source: the corpus's folder.
        items: the item table, in pack order.
        advance: told how many items were decoded since the last call.
        workers: processes that decode; None takes one a core.
        tell: told what a person who waits wants to know.
        title: what is packed, for a person; the folder's name where it is empty.
    """

    folder: Path
    corpus: Corpus
    source: Path
    items: pd.DataFrame
    advance: Advance
    workers: int | None = None
    tell: Tell = silent
    title: str = ""

    @property
    def name(self) -> str:
        """What is packed, for a person."""
        return self.title or self.folder.name

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one number."""
        return np.dtype(np.int16 if self.corpus.kind == "audio" else np.uint8)

    @property
    def dimensions(self) -> int:
        """Of one item."""
        return 1 if self.corpus.kind == "audio" else 2

    @property
    def processes(self) -> int:
        """How many processes decode at most."""
        return self.workers or os.cpu_count() or 1

    def key(self) -> str:
        """One hash for all that decides what the pack holds but the files themselves."""
        made_from = {
            "items": table_digest(self.items, tuple(self.items.columns)),
            "corpus": f"{type(self.corpus).__qualname__} {self.corpus!r}",
            "version": self.corpus.version,
            "folder": str(self.source.resolve()),
            "dtype": self.dtype.name,
        }
        return digest(made_from)
