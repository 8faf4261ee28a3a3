"""Disk: how much a pack needs, how much is free, and what is said where it is too little."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.corpus import SAMPLE_RATE, DamagedItem, item_notes
from harness.datasets.packing.request import PackRequest
from harness.errors import DataError, StorageError, naming

SAMPLED = 32
"""Items decoded to learn how long those are whose length no list tells."""

BESIDE_NUMBERS = 512
"""Bytes an item takes at most beside its numbers, the journal included."""


@dataclass(frozen=True)
class Room:
    """Bytes that are needed and bytes that are free, in a folder that need not exist yet."""

    needed: int
    free: int
    folder: Path

    @property
    def enough(self) -> bool:
        """Whether it can be begun."""
        return self.needed <= self.free

    def __str__(self) -> str:
        return f"{spelled(self.needed)} of disk are needed and {spelled(self.free)} are free"


def room_in(folder: Path, needed: int) -> Room:
    """What is free where a folder lies or is going to."""
    place = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    return Room(needed, shutil.disk_usage(place).free, folder)


def check_room(room: Room, what: str, mend: str = "") -> None:
    """Refuse to begin what cannot end.

    Args:
        room: what is needed and free.
        what: is to be begun.
        mend: what else can be done than to free room.

    Raises:
        DataError: too little disk is free.
    """
    if not room.enough:
        raise DataError(
            f"{what}: {room} in {room.folder}; free {spelled(room.needed - room.free)} there, "
            f"or choose a folder on another disk{mend}"
        )


def bytes_needed(request: PackRequest, begin: int = 0) -> int:
    """Bytes that the items from a row on need, about."""
    items = request.items.iloc[begin:]
    if len(items) == 0:
        return 0
    seconds = items["seconds"].to_numpy(float)
    told = seconds > 0 if request.corpus.kind == "audio" else np.zeros(len(items), bool)
    numbers = float(seconds[told].sum()) * SAMPLE_RATE
    untold = np.flatnonzero(~told)
    if len(untold):
        chosen = untold[np.unique(np.linspace(0, len(untold) - 1, SAMPLED).astype(int))]
        numbers += len(untold) * _mean_length(request, items.iloc[chosen].itertuples(index=False))
    return round(numbers * request.dtype.itemsize) + BESIDE_NUMBERS * len(items)


@contextmanager
def telling_full_disk(folder: Path, kept: Callable[[], str]) -> Iterator[None]:
    """Turn errors of the disk into messages; a full one's says what is kept.

    Args:
        folder: what was written to.
        kept: tells what was made certain before.

    Raises:
        StorageError: it is full, or fails.
        PathError: the folder cannot be written.
    """
    try:
        with naming(folder):
            yield
    except StorageError as error:
        raise StorageError(f"{error}; {kept()}") from error


def spelled(size: float) -> str:
    """A number of bytes for a person.

    >>> spelled(999), spelled(1_530_000), spelled(2.5e9)
    ('999 bytes', '1.5 MB', '2.5 GB')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size:.0f} bytes"


def _mean_length(request: PackRequest, items: Iterator[Any]) -> float:
    found = []
    for item in items:
        try:
            with item_notes():
                found.append(request.corpus.read(item, request.source).size)
        except DamagedItem:
            found.append(0)
    return float(np.mean(found))
