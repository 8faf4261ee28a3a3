"""Items decoded in chunks, over several processes, in order; and the stamps of their files."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import DamagedItem, item_notes
from harness.datasets.packing.item_records import HASH_BYTES, Records, no_records
from harness.datasets.packing.pack_request import PackRequest, ignore_count, ignore_message
from harness.errors import DataError

AHEAD = 4
"""Chunks waiting for each worker: enough to keep it busy, too few to fill the memory."""

STAMP_THREADS = 8
"""A file system over a network answers several at a time."""

STAMPS_A_TASK = 512

NO_FILE = (0, 0)

Stamp = tuple[int, int]


@dataclass(frozen=True)
class Chunk:
    """Neighbouring items as they were read: facts about them, and their numbers end to end."""

    records: Records
    values: NDArray[Any]


def read_chunks(
    request: PackRequest, chunks: Sequence[NDArray[np.int64]], *, keep: bool
) -> Generator[Chunk]:
    """Decode chunks of rows, in their order.

    Args:
        request: whose items.
        chunks: rows of each.
        keep: return the numbers, not their hashes alone.

    Raises:
        DataError: a process that decoded died.
    """
    bare = replace(request, advance=ignore_count, tell=ignore_message)  # a process can take it
    jobs = (replace(bare, items=request.items.iloc[rows]) for rows in chunks)
    workers = request.processes_for(len(chunks))
    decode = partial(_decode, keep=keep)
    yield from map(decode, jobs) if workers < 2 else _decode_in_pool(decode, jobs, workers)


def _decode_in_pool(
    decode: Callable[[PackRequest], Chunk], jobs: Iterator[PackRequest], workers: int
) -> Iterator[Chunk]:
    waiting: deque[tuple[PackRequest, Future[Chunk]]] = deque()
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        try:
            for job in jobs:
                waiting.append((job, pool.submit(decode, job)))
                if len(waiting) > AHEAD * workers:
                    yield _result(*waiting.popleft())
            while waiting:
                yield _result(*waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(job: PackRequest, future: Future[Chunk]) -> Chunk:
    try:
        return future.result()
    except BrokenProcessPool as error:
        first, last = job.items["id"].iloc[0], job.items["id"].iloc[-1]
        raise DataError(
            f"{job.source}: a process that decoded died while the items from {first} to {last} "
            "were waited for: memory ran out (give fewer --workers), or a file broke the decoder"
        ) from error


def _decode(job: PackRequest, *, keep: bool) -> Chunk:
    """Read all items of a job; without `keep`, their numbers are not returned."""
    records = no_records(len(job.items), job.dimensions)
    contents: list[NDArray[Any]] = []
    hashes, stamps = [], []
    rows: Iterator[Any] = job.items.itertuples(index=False)
    for row, item in enumerate(rows):
        # Before the file is read: what is written while it is read is noticed the next time.
        stamps.append(stamp_of(job.source, item.source) if job.corpus.needs_folder else NO_FILE)
        try:
            with item_notes() as notes:
                content = np.asarray(job.corpus.read(item, job.source), job.dtype)
        except DamagedItem as error:
            records["damage"][row] = str(error)
            content = np.zeros((0,) * job.dimensions, job.dtype)
            hashes.append(bytes(HASH_BYTES))
        else:
            if notes:
                records["note"][row] = "; ".join(notes)
            hashes.append(hashlib.sha256(content.tobytes()).digest())
        contents.append(content)
    records["shape"], records["stamp"] = [content.shape for content in contents], stamps
    records["hash"] = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, HASH_BYTES)
    kept = [content.ravel() for content in contents] if keep else []
    return Chunk(records, np.concatenate([np.zeros(0, job.dtype), *kept]))


def end_with_parent() -> None:
    """End this process when its parent does: one that waits for work would wait for ever."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def stamp_of(folder: Path, source: str) -> Stamp:
    """Return size and time of change (ns) of an item's file; zeros if there is none.

    Args:
        folder: the corpus's.
        source: a path below it, or one with the place of a part, `path#place`.
    """
    found = _stamp(os.path.join(folder, source))
    if found == NO_FILE and "#" in source:
        return _stamp(os.path.join(folder, source.rpartition("#")[0]))
    return found


def stamps_of(folder: Path, sources: pd.Series[str]) -> NDArray[np.int64]:
    """Return the stamp of every item's file, `[items, 2]`; each source is looked up once."""
    codes, names = pd.factorize(sources)
    groups = [names[at : at + STAMPS_A_TASK] for at in range(0, len(names), STAMPS_A_TASK)]

    def stamps(group: list[str]) -> list[Stamp]:
        return [stamp_of(folder, source) for source in group]

    with ThreadPoolExecutor(STAMP_THREADS) as pool:
        found = [stamp for part in pool.map(stamps, groups) for stamp in part]
    return np.array(found, dtype=np.int64).reshape(-1, 2)[codes]


def _stamp(path: str) -> Stamp:
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return NO_FILE
    return (facts.st_size, facts.st_mtime_ns) if stat.S_ISREG(facts.st_mode) else NO_FILE
