"""Whether files changed since they were read: their size and their time of change."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

THREADS = 8
"""A file system over a network answers several at a time."""

AT_A_TIME = 512

NO_FILE = (0, 0)

Stamp = tuple[int, int]


def file_of(source: str) -> str:
    """The file of an item that is a part of one: what comes before the last `#`."""
    return source.rpartition("#")[0]


def stamp_of(folder: Path, source: str) -> Stamp:
    """Size and time of change (ns) of an item's file; zeros where there is none.

    Args:
        folder: the corpus's.
        source: a path below it, or one with the place of a part, `path#place`.
    """
    found = _stamp(os.path.join(folder, source))
    if found == NO_FILE and "#" in source:
        return _stamp(os.path.join(folder, file_of(source)))
    return found


def stamps_of(folder: Path, sources: pd.Series[str]) -> NDArray[np.int64]:
    """The stamp of every item's file, `[items, 2]`; each source is looked at once."""
    codes, names = pd.factorize(sources)
    groups = [names[at : at + AT_A_TIME] for at in range(0, len(names), AT_A_TIME)]

    def stamps(group: list[str]) -> list[Stamp]:
        return [stamp_of(folder, source) for source in group]

    with ThreadPoolExecutor(THREADS) as pool:
        found = [stamp for part in pool.map(stamps, groups) for stamp in part]
    return np.array(found, dtype=np.int64).reshape(-1, 2)[codes]


def _stamp(path: str) -> Stamp:
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return NO_FILE
    return (facts.st_size, facts.st_mtime_ns) if stat.S_ISREG(facts.st_mode) else NO_FILE
