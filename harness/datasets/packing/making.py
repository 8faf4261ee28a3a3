"""Making a pack: from where it was left, from files, and from an older pack of the same."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets.packing.content import READING, Pack
from harness.datasets.packing.decoding import Chunk, chunked, read_chunks
from harness.datasets.packing.request import PackRequest
from harness.datasets.packing.space import (
    bytes_needed,
    check_room,
    room_in,
    spelled,
    telling_full_disk,
)
from harness.datasets.packing.stamps import stamps_of
from harness.datasets.packing.unfinished import JOURNAL, Unfinished


@dataclass(frozen=True)
class Outdated:
    """A pack of which some items are not what their files hold now.

    Attributes:
        pack: what it held; None where there is none.
        changed: tells of each item whether it has to be read anew, `[items]`.
    """

    pack: Pack | None
    changed: NDArray[np.bool_]

    def serves(self, rows: NDArray[np.int64]) -> bool:
        """Whether items can be taken over as they are."""
        return self.pack is not None and not self.changed[rows].any()

    def chunk(self, rows: NDArray[np.int64]) -> Chunk:
        """Neighbouring items as they were."""
        if self.pack is None:
            raise ValueError("there is nothing to take over")
        begin, end = int(rows[0]), int(rows[-1]) + 1
        values = self.pack.values[self.pack.offsets[begin] : self.pack.offsets[end]]
        return Chunk(self.pack.batch.part(begin, end), np.asarray(values))


def make(request: PackRequest, old: Outdated) -> None:
    """Make a pack; it replaces an older one when it is whole.

    Raises:
        DataError: the disk has too little room, or a process that decoded died.
    """
    folder = _part(request.folder)
    with telling_full_disk(
        folder.parent, lambda: "what was packed before is kept for the next call"
    ):
        key = f"{request.key()} {READING}"
        unfinished = Unfinished(folder, key, request.dtype, request.dimensions)

    def kept() -> str:
        done = f"{len(unfinished):,} of {len(request.items):,} items"
        return f"{done} of {request.name} are kept for the next call"

    with unfinished, telling_full_disk(folder.parent, kept):
        _drop_changed(request, unfinished)
        _check_room(request, unfinished, old)
        _fill(request, unfinished, old)
        unfinished.finish()
    _put(folder, request.folder)


def clear_leavings(folder: Path) -> None:
    """Remove what a killed process left beside a pack and nothing can go on from."""
    for leaving in folder.parent.glob(f".{escape(folder.name)}.*"):
        if leaving != _part(folder):
            shutil.rmtree(leaving, ignore_errors=True)


def _part(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.part")


def _drop_changed(request: PackRequest, unfinished: Unfinished) -> None:
    """Go back before the first item whose file changed since it was packed."""
    count = len(unfinished)
    if not (count and request.corpus.needs_folder):
        return
    now = stamps_of(request.source, request.items["source"].iloc[:count])
    changed = np.flatnonzero((now != unfinished.batch().stamps).any(axis=1))
    if len(changed):
        unfinished.cut(int(changed[0]))


def _check_room(request: PackRequest, unfinished: Unfinished, old: Outdated) -> None:
    room = room_in(unfinished.folder.parent, bytes_needed(request, len(unfinished)))
    # It may be open elsewhere, and is taken over from: removing it is left to who knows that.
    outdated = f"; {request.folder} is outdated and may go" if old.pack is not None else ""
    check_room(room, request.name, outdated)
    begun = f"; {len(unfinished):,} items are packed already" if len(unfinished) else ""
    request.tell(
        f"{request.name}: {spelled(room.needed)} are to be packed under {room.folder}, "
        f"{spelled(room.free)} are free{begun}"
    )


def _fill(request: PackRequest, unfinished: Unfinished, old: Outdated) -> None:
    begin = len(unfinished)
    if begin:
        request.advance(begin)
    with closing(_chunks(request, begin, old)) as chunks:
        for chunk in chunks:
            unfinished.append(chunk)
            request.advance(len(chunk.batch))


def _chunks(request: PackRequest, begin: int, old: Outdated) -> Generator[Chunk]:
    every = chunked(request.items, np.arange(begin, len(request.items)))
    anew = [rows for rows in every if not old.serves(rows)]
    with closing(read_chunks(request, anew, keep=True)) as read:
        for rows in every:
            yield old.chunk(rows) if old.serves(rows) else next(read)


def _put(part: Path, folder: Path) -> None:
    """Give a whole pack its name; one that is in use elsewhere stays so until it is closed."""
    replaced = folder.with_name(f".{folder.name}.old")
    if folder.exists():
        folder.replace(replaced)
    part.replace(folder)
    (folder / JOURNAL).unlink()
    shutil.rmtree(replaced, ignore_errors=True)
