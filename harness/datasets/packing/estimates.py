"""Disk space and time that packing needs, and the errors for a disk that has too little."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.data.corpus import SAMPLE_RATE, Corpus, DamagedItem, item_notes
from harness.datasets.packing.decoding import end_with_parent
from harness.datasets.packing.pack_request import PackRequest
from harness.errors import DataError, StorageError, naming
from harness.measure.timing import cpu_times

SAMPLED = 32
"""Items decoded to estimate the lengths that no list gives."""

TIMED = 4
"""Items that are read to estimate the time, evenly spaced."""

BESIDE_NUMBERS = 512
"""Bytes an item takes at most beside its numbers, the journal included."""


def check_disk_space(folder: Path, needed: int, purpose: str, mend: str = "") -> int:
    """Refuse to begin if the disk has too little room to end.

    Args:
        folder: for the bytes; it need not exist yet.
        needed: bytes.
        purpose: of the bytes.
        mend: another way than to free room.

    Returns:
        The bytes that are free.

    Raises:
        DataError: too little disk is free.
    """
    place = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise DataError(
            f"{purpose}: {format_bytes(needed)} of disk are needed and {format_bytes(free)} are "
            f"free in {folder}; free {format_bytes(needed - free)} there, or choose a folder on "
            f"another disk{mend}"
        )
    return free


@contextmanager
def report_full_disk(folder: Path, kept: Callable[[], str]) -> Iterator[None]:
    """Turn errors of the disk into messages; a full disk's message says what is kept.

    Args:
        folder: the one that is written to.
        kept: returns what is safe on the disk.

    Raises:
        StorageError: the disk is full, or fails.
        PathError: the folder cannot be written.
    """
    try:
        with naming(folder):
            yield
    except StorageError as error:
        raise StorageError(f"{error}; {kept()}") from error


def format_bytes(size: float) -> str:
    """Return a number of bytes for a person.

    >>> format_bytes(999), format_bytes(1_530_000), format_bytes(2.5e9)
    ('999 bytes', '1.5 MB', '2.5 GB')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size:.0f} bytes"


def bytes_needed(request: PackRequest, begin: int = 0) -> int:
    """Estimate the bytes that the items from a row on need."""
    items = request.items.iloc[begin:]
    if len(items) == 0:
        return 0
    seconds = items["seconds"].to_numpy(float)
    known = seconds > 0 if request.corpus.kind == "audio" else np.zeros(len(items), bool)
    numbers = float(seconds[known].sum()) * SAMPLE_RATE
    unknown = np.flatnonzero(~known)
    if len(unknown):
        sample = unknown[np.unique(np.linspace(0, len(unknown) - 1, SAMPLED).astype(int))]
        sizes = [_item_size(request, item) for item in items.iloc[sample].itertuples(index=False)]
        numbers += len(unknown) * float(np.mean(sizes))
    return round(numbers * request.dtype.itemsize) + BESIDE_NUMBERS * len(items)


def _item_size(request: PackRequest, item: Any) -> int:
    try:
        with item_notes():
            return request.corpus.read(item, request.source).size
    except DamagedItem:
        return 0


def packing_seconds(request: PackRequest) -> float:
    """Estimate the time that all processes take to pack, by reading some items in another one.

    Raises:
        DataError: reading them failed, or ended the process.
    """
    every = np.arange(len(request.items))
    rows = np.unique(np.linspace(0, len(every) - 1, TIMED + 1).astype(int))
    sample = request.items.iloc[rows]
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
        reading = pool.submit(_reading_seconds, request.corpus, request.source, sample)
        error = reading.exception()
    if error is not None:
        raise DataError(f"{request.name}: reading some of its items failed: {error}") from error
    lengths = sample["seconds"].to_numpy(float)[1:]
    whole = float(request.items["seconds"].sum()) / lengths.sum() if lengths.all() else 0.0
    times = whole or len(every) / max(1, len(lengths))
    return reading.result() * times / request.processes_for(len(request.chunks(every)))


def _reading_seconds(corpus: Corpus, source: Path, items: pd.DataFrame) -> float:
    """Time all items but the first, which pays for imports; waiting for a core is not counted."""
    began, before = time.perf_counter(), cpu_times()
    for place, item in enumerate(items.itertuples(index=False)):
        with suppress(DamagedItem):
            corpus.read(item, source)
        if place == 0 and len(items) > 1:
            began, before = time.perf_counter(), cpu_times()
    waited = cpu_times().since(before).share or 0.0
    return (time.perf_counter() - began) * (1 - waited)
