"""Makes packs: from files, from what a killed process left, and from an outdated pack."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from glob import escape
from pathlib import Path

import numpy as np
from filelock import Timeout
from numpy.typing import NDArray

from harness.datasets.packing.decoding import Chunk, read_chunks, stamps_of
from harness.datasets.packing.estimates import (
    bytes_needed,
    check_disk_space,
    format_bytes,
    report_full_disk,
)
from harness.datasets.packing.pack import READING, Pack, no_records, open_pack, write_stamps
from harness.datasets.packing.pack_request import PackRequest, ignore_count
from harness.datasets.packing.unfinished import JOURNAL, Unfinished
from harness.records.files import lock

NAMED = 5
"""Changed files that are named; a corpus that was replaced has no end of them."""


def ensure_pack(request: PackRequest, *, trusted: bool = False, fresh: bool = False) -> Pack:
    """Open a pack; make it first if it is missing.

    If some of its files changed since, the pack is made anew, and items that did not change are
    copied from the old one. A packing that was killed is resumed.

    Args:
        request: items, reader and folder.
        trusted: take the pack as it is; the caller knows that it was validated.
        fresh: read every file again, even if its size and time of change are the same.

    Raises:
        DataError: the disk has too little room, or a process that decoded died.
    """
    with _hold_lock(request):
        for leaving in request.folder.parent.glob(f".{escape(request.folder.name)}.*"):
            if leaving != _part(request.folder):  # which the packing goes on from
                shutil.rmtree(leaving, ignore_errors=True)
        pack = _open_current(request)
        if pack is None:
            _make(request, None, np.ones(len(request.items), bool))
        elif trusted:
            return pack
        elif (changed := _find_changes(request, pack, every=fresh)).any():
            # Every item was counted while it was compared.
            _make(replace(request, advance=ignore_count), pack, changed)
        made = open_pack(request.folder)
        if made is None:
            raise TypeError(f"{request.folder}: vanished while its lock was held")
        return made


def _open_current(request: PackRequest) -> Pack | None:
    """Open the pack; remove it if its format, or the rules that read its files, are others now."""
    pack = open_pack(request.folder)
    if pack is not None and (pack.reading == READING or not request.corpus.needs_folder):
        return pack
    if request.folder.exists():
        shutil.rmtree(request.folder)
    return None


@contextmanager
def _hold_lock(request: PackRequest) -> Iterator[None]:
    guard = lock(request.folder)
    try:
        guard.acquire(timeout=0)
    except Timeout:
        request.tell(f"{request.name}: another process is packing it; waiting")
        guard.acquire()
    try:
        yield
    finally:
        guard.release()


def _find_changes(request: PackRequest, pack: Pack, *, every: bool) -> NDArray[np.bool_]:
    """Tell of each item whether its file holds something else now, `[items]`.

    Items whose file has another size or time of change than when it was packed are read again,
    and so are those that could not be read. If all hold what they held, the new stamps are kept.

    Args:
        request: whose items.
        pack: as it was packed.
        every: read all files again, whatever their stamps are.
    """
    stamps = pack.stamps
    if request.corpus.needs_folder:
        stamps = stamps_of(request.source, request.items["source"])
    again = (stamps != pack.stamps).any(axis=1)
    again[list(pack.damaged)] = True
    rows = np.flatnonzero(again | every)
    changed = np.zeros(len(pack), bool)
    if len(rows) == 0:
        return changed
    request.advance(len(request.items) - len(rows))
    found = [no_records(0, request.dimensions)]
    for chunk in read_chunks(request, request.chunks(rows), keep=False):
        found.append(chunk.records)
        request.advance(len(chunk.records))
    new, old = np.concatenate(found), pack.records()[rows]
    for column in ("hash", "shape", "damage", "note"):
        changed[rows] |= (new[column] != old[column]).reshape(len(rows), -1).any(axis=1)
    if changed.any():
        sources = request.items["source"][changed]
        named = ", ".join(sources.iloc[:NAMED])
        more = ", ..." if len(sources) > NAMED else ""
        request.tell(
            f"{request.name}: changed since it was packed: {len(sources):,} of "
            f"{len(changed):,} items ({named}{more}); they are packed anew"
        )
    elif (stamps != pack.stamps).any():
        write_stamps(request.folder, stamps)
    return changed


def _make(request: PackRequest, old: Pack | None, changed: NDArray[np.bool_]) -> None:
    """Make a pack; it replaces an older one when it is whole.

    Args:
        request: items, reader and folder.
        old: an outdated pack of the same items; None if there is none.
        changed: tells of each item whether it must be read anew, `[items]`.

    Raises:
        DataError: the disk has too little room, or a process that decoded died.
    """
    folder = _part(request.folder)
    with report_full_disk(
        folder.parent, lambda: "what was packed before is kept for the next call"
    ):
        key = f"{request.key()} {READING}"
        unfinished = Unfinished(folder, key, request.dtype, request.dimensions)

    def progress() -> str:
        done = f"{len(unfinished):,} of {len(request.items):,} items"
        return f"{done} of {request.name} are kept for the next call"

    with unfinished, report_full_disk(folder.parent, progress):
        _drop_changed(request, unfinished)
        begin = len(unfinished)
        _check_disk(request, begin, outdated=old is not None)
        if begin:
            request.advance(begin)
        with closing(_chunks(request, begin, old, changed)) as chunks:
            for chunk in chunks:
                unfinished.append(chunk)
                request.advance(len(chunk.records))
        unfinished.finish()
    # A pack that is in use elsewhere stays readable until it is closed.
    replaced = request.folder.with_name(f".{request.folder.name}.old")
    if request.folder.exists():
        request.folder.replace(replaced)
    folder.replace(request.folder)
    (request.folder / JOURNAL).unlink()
    shutil.rmtree(replaced, ignore_errors=True)


def _part(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.part")


def _drop_changed(request: PackRequest, unfinished: Unfinished) -> None:
    """Go back before the first item whose file changed since it was packed."""
    count = len(unfinished)
    if not (count and request.corpus.needs_folder):
        return
    now = stamps_of(request.source, request.items["source"].iloc[:count])
    changed = np.flatnonzero((now != unfinished.records()["stamp"]).any(axis=1))
    if len(changed):
        unfinished.cut(int(changed[0]))


def _check_disk(request: PackRequest, begin: int, *, outdated: bool) -> None:
    folder, needed = request.folder.parent, bytes_needed(request, begin)
    # It may be open elsewhere, and is copied from: removing it is left to who knows that.
    mend = f"; {request.folder} is outdated and may go" if outdated else ""
    free = check_disk_space(folder, needed, request.name, mend)
    begun = f"; {begin:,} items are packed already" if begin else ""
    request.tell(
        f"{request.name}: {format_bytes(needed)} are to be packed under {folder}, "
        f"{format_bytes(free)} are free{begun}"
    )


def _chunks(
    request: PackRequest, begin: int, old: Pack | None, changed: NDArray[np.bool_]
) -> Generator[Chunk]:
    """Yield all chunks from an item on, in order: copied if nothing of it changed, else decoded."""
    every = request.chunks(np.arange(begin, len(request.items)))
    anew = [rows for rows in every if old is None or changed[rows].any()]
    records = None if old is None else old.records()
    with closing(read_chunks(request, anew, keep=True)) as read:
        for rows in every:
            if old is None or records is None or changed[rows].any():
                yield next(read)
            else:
                first, after = int(rows[0]), int(rows[-1]) + 1
                yield Chunk(records[first:after], np.asarray(old.flat(first, after)))
