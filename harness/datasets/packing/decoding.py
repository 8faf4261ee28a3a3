"""Items decoded in chunks, over several processes, in order."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import Corpus, DamagedItem, item_notes
from harness.datasets.packing.batch import HASH_BYTES, Batch
from harness.datasets.packing.child_process import end_with_parent
from harness.datasets.packing.request import PackRequest
from harness.datasets.packing.stamps import NO_FILE, stamp_of
from harness.errors import DataError

CHUNK = 32
"""Items a worker decodes before it reports back: a progress bar that moves, little traffic."""

LONG_CHUNK_S = 600.0
"""A chunk of long recordings ends here."""

AHEAD = 4
"""Chunks waiting for each worker: enough to keep it busy, too few to fill the memory."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Chunk:
    """Items as they were read: what is known of them, and their numbers end to end."""

    batch: Batch
    values: NDArray[Any]


@dataclass(frozen=True)
class _Job:
    """A chunk for a worker; `keep` tells whether the numbers are wanted back."""

    corpus: Corpus
    source: Path
    items: pd.DataFrame
    dtype: np.dtype[Any]
    dimensions: int
    keep: bool


def chunked(items: pd.DataFrame, rows: Rows) -> list[Rows]:
    """Cut rows of the item table into chunks for the workers."""
    seconds = items["seconds"].to_numpy(float)[rows]
    chunks, begin, held = [], 0, 0.0
    for place, length in enumerate(seconds.tolist()):
        if place > begin and (place - begin == CHUNK or held + length > LONG_CHUNK_S):
            chunks.append(rows[begin:place])
            begin, held = place, 0.0
        held += length
    return [*chunks, rows[begin:]] if len(rows) else []


def read_chunks(request: PackRequest, chunks: Sequence[Rows], *, keep: bool) -> Generator[Chunk]:
    """Decode chunks of rows, in their order.

    Args:
        request: whose items.
        chunks: rows of each.
        keep: whether the numbers are wanted, or their hashes alone.

    Raises:
        DataError: a process that decoded died.
    """
    jobs = (
        _Job(
            request.corpus,
            request.source,
            request.items.iloc[rows],
            request.dtype,
            request.dimensions,
            keep,
        )
        for rows in chunks
    )
    workers = min(request.processes, len(chunks))
    yield from map(_decode, jobs) if workers < 2 else _pooled(jobs, workers)


def _pooled(jobs: Iterator[_Job], workers: int) -> Iterator[Chunk]:
    waiting: deque[tuple[_Job, Future[Chunk]]] = deque()
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        try:
            for job in jobs:
                waiting.append((job, pool.submit(_decode, job)))
                if len(waiting) > AHEAD * workers:
                    yield _result(*waiting.popleft())
            while waiting:
                yield _result(*waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(job: _Job, future: Future[Chunk]) -> Chunk:
    try:
        return future.result()
    except BrokenProcessPool as error:
        first, last = job.items["id"].iloc[0], job.items["id"].iloc[-1]
        raise DataError(
            f"{job.source}: a process that decoded died while the items from {first} to {last} "
            "were waited for: memory ran out (give fewer --workers), or a file broke the decoder"
        ) from error


def _decode(job: _Job) -> Chunk:
    contents: list[NDArray[Any]] = []
    stamps = []
    damaged: dict[int, str] = {}
    remarks: dict[int, str] = {}
    rows: Iterator[Any] = job.items.itertuples(index=False)
    for row, item in enumerate(rows):
        # Before the file is read: what is written while it is read is noticed the next time.
        stamps.append(stamp_of(job.source, item.source) if job.corpus.needs_folder else NO_FILE)
        try:
            with item_notes() as notes:
                contents.append(np.asarray(job.corpus.read(item, job.source), job.dtype))
        except DamagedItem as error:
            damaged[row] = str(error)
            contents.append(np.zeros((0,) * job.dimensions, job.dtype))
        else:
            remarks |= {row: "; ".join(notes)} if notes else {}
    hashes = b"".join(
        bytes(HASH_BYTES) if row in damaged else hashlib.sha256(content.tobytes()).digest()
        for row, content in enumerate(contents)
    )
    batch = Batch(
        np.array([content.shape for content in contents], np.int64),
        np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES),
        np.array(stamps, np.int64),
        damaged,
        remarks,
    )
    kept = [content.ravel() for content in contents] if job.keep else []
    return Chunk(batch, np.concatenate([np.zeros(0, job.dtype), *kept]))
