"""Makes packs: from files, from what a killed process left, and from an outdated pack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
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
from harness.datasets.packing.item_records import no_records
from harness.datasets.packing.pack import MENDERS, READING, VALUES, Pack
from harness.datasets.packing.pack_files import add_fast_hashes, add_hashes, read_pack, write_stamps
from harness.datasets.packing.pack_request import PackRequest, ignore_count
from harness.datasets.packing.unfinished import JOURNAL, Unfinished
from harness.errors import DataError, PathError, naming
from harness.records.damage import DamagedFile, set_aside, tell_damage
from harness.records.files import lock

NAMED = 5
"""Changed files that are named; a corpus that was replaced has no end of them."""

NAMED_DAMAGED = 50
"""Damaged items that are named."""


def ensure_pack(request: PackRequest, *, trusted: bool = False, fresh: bool = False) -> Pack:
    """Open a pack; make it first if it is missing.

    If some of its files changed since, the pack is made anew, and items that did not change are
    copied from the old one. A packing that was killed is resumed. A pack whose tables are damaged
    is set aside and made again; damaged items are read again when they are first used.

    Args:
        request: items, reader and folder.
        trusted: take the pack as it is; the caller knows that it was validated.
        fresh: read every file again, even if its size and time of change are the same, and hold
            every item of the pack against its hash.

    Raises:
        DataError: the disk has too little room, or a process that decoded died.
    """
    MENDERS[request.folder] = partial(mend_pack, request)
    with _hold_lock(request):
        for leaving in request.folder.parent.glob(f".{escape(request.folder.name)}.*"):
            if leaving != _part(request.folder):  # which the packing goes on from
                shutil.rmtree(leaving, ignore_errors=True)
        pack = _open_current(request)
        if pack is not None and fresh and (damaged := pack.find_damage(0, len(pack))):
            _mend(request, pack, damaged)
        if pack is None:
            _make(request, None, np.ones(len(request.items), bool))
        elif trusted:
            return pack
        elif (changed := _find_changes(request, pack, every=fresh)).any():
            # Every item was counted while it was compared.
            _make(replace(request, advance=ignore_count), pack, changed)
        made = read_pack(request.folder)
        if made is None:
            raise TypeError(f"{request.folder}: vanished while its lock was held")
        return made


def _open_current(request: PackRequest) -> Pack | None:
    """Open the pack; remove it if its format, or the rules that read its files, are others now.

    A damaged one is set aside, and what was set aside before goes: it may be as large again.
    """
    try:
        pack = read_pack(request.folder)
    except DamagedFile as error:
        for older in request.folder.parent.glob(f"{escape(request.folder.name)}.damaged-*"):
            shutil.rmtree(older, ignore_errors=True)
        set_aside(request.folder, str(error))
        return None
    if pack is not None and (pack.reading == READING or not request.corpus.needs_folder):
        with suppress(PathError):  # somebody else's pack stays as it is
            add_hashes(request.folder)
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


def mend_pack(request: PackRequest, rows: list[int]) -> None:
    """Read damaged items of a pack again, and write them into its file.

    Raises:
        DataError: a file is absent, damaged, or holds something else now.
    """
    with _hold_lock(request):
        pack = read_pack(request.folder)
        # Another process may have mended them, or have made a new pack, while the lock was held.
        if pack is not None:
            _mend(request, pack, [row for row in rows if pack.find_damage(row, row + 1)])


def _mend(request: PackRequest, pack: Pack, rows: list[int]) -> None:
    """Write items anew in place: only wrong bytes change, so whoever reads meanwhile is not hurt.

    Args:
        request: whose items.
        pack: is damaged; its lock is held.
        rows: the damaged items.
    """
    if not rows:
        return
    values = request.folder / VALUES
    with naming(values), values.open("r+b") as file:
        for chunk_rows in request.chunks(np.array(rows)):
            (chunk,) = read_chunks(request, [chunk_rows], keep=True)
            _check_again(request, pack, chunk_rows, chunk)
            ends = np.cumsum(chunk.records["shape"].prod(axis=1))[:-1]
            for row, content in zip(chunk_rows, np.split(chunk.values, ends), strict=True):
                file.seek(int(pack.offsets[row]) * request.dtype.itemsize)
                file.write(content.tobytes())
        file.flush()
        os.fsync(file.fileno())
    ids = request.items["id"].iloc[rows[:NAMED_DAMAGED]].astype(str)
    more = ", ..." if len(rows) > NAMED_DAMAGED else ""
    tell_damage(
        f"{request.name}: {len(rows):,} items of {values} were damaged ({', '.join(ids)}{more}); "
        "they were read again from their source"
    )


def _check_again(request: PackRequest, pack: Pack, rows: NDArray[np.int64], chunk: Chunk) -> None:
    """Refuse items that cannot be read any more, or are others now."""
    for row, record in zip(rows, chunk.records, strict=True):
        if record["hash"].tobytes() == pack.hashes[row].tobytes():
            continue
        item = request.items.iloc[row]
        source = request.source / str(item["source"])
        why = record["damage"] or "it holds something else than when it was packed"
        raise DataError(
            f"{request.folder / VALUES}: {item['id']} is damaged and cannot be made again from "
            f"{source}: {why}; restore that file, or delete {request.folder} to have all packed "
            "anew"
        )


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
        add_fast_hashes(folder)
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
    if old is not None:
        changed = changed.copy()
        changed[old.find_damage(0, len(old))] = True
    anew = [rows for rows in every if old is None or changed[rows].any()]
    records = None if old is None else old.records()
    with closing(read_chunks(request, anew, keep=True)) as read:
        for rows in every:
            if old is None or records is None or changed[rows].any():
                yield next(read)
            else:
                first, after = int(rows[0]), int(rows[-1]) + 1
                numbers = old.values[old.offsets[first] : old.offsets[after]]
                yield Chunk(records[first:after], np.asarray(numbers))
