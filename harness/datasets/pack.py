"""A corpus decoded once into one flat file, so that a crop costs no decoding."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from filelock import Timeout

from harness.datasets.packing.changes import changed_items
from harness.datasets.packing.content import READING, Pack, open_pack
from harness.datasets.packing.making import Outdated, clear_leavings, make
from harness.datasets.packing.request import Advance, PackRequest, Tell, silent
from harness.records.files import lock

__all__ = ["Advance", "Pack", "PackRequest", "Tell", "packed", "silent"]


def packed(request: PackRequest, *, trusted: bool = False, fresh: bool = False) -> Pack:
    """Open a pack, making it first where it is missing.

    A pack some of whose files changed since is made anew; what did not change is taken over. A
    packing that was killed goes on from where it was.

    Args:
        request: what and where.
        trusted: take the pack as it lies; whoever asks knows that it was held against the files.
        fresh: read every file again, whatever its size and time of change are.

    Raises:
        DataError: the disk has too little room, or a process that decoded died.
    """
    with _locked(request):
        clear_leavings(request.folder)
        pack = _current(request)
        if pack is None and request.folder.exists():
            shutil.rmtree(request.folder)
        if pack is None:
            return _made(request, Outdated(None, np.ones(len(request.items), bool)))
        if trusted:
            return pack
        changed = changed_items(request, pack, every=fresh)
        if not changed.any():
            return _opened(request)
        # Every item was counted while it was looked at.
        return _made(replace(request, advance=lambda _: None), Outdated(pack, changed))


def _current(request: PackRequest) -> Pack | None:
    """Open the pack, unless it was read from files by other rules than today's."""
    pack = open_pack(request.folder)
    computed = not request.corpus.needs_folder
    return pack if pack is None or computed or pack.reading == READING else None


def _made(request: PackRequest, old: Outdated) -> Pack:
    make(request, old)
    return _opened(request)


def _opened(request: PackRequest) -> Pack:
    pack = open_pack(request.folder)
    if pack is None:
        raise TypeError(f"{request.folder}: vanished while its lock was held")
    return pack


@contextmanager
def _locked(request: PackRequest) -> Iterator[None]:
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
