"""A corpus decoded once into one flat file, so that a crop costs no decoding."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from glob import escape
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import Corpus, DamagedItem
from harness.records.canonical import readable_json
from harness.records.files import lock

CHUNK = 32
"""Items a worker decodes before it reports back: a progress bar that moves, little traffic."""

Advance = Callable[[int], None]

Job = tuple[Corpus, Path, tuple[str, ...], list[tuple[Any, ...]]]
"""A chunk for a worker: reader, folder, names of the columns, rows."""


@dataclass(frozen=True)
class Pack:
    """Items of one kind, end to end in one memory-mapped file.

    Attributes:
        values: all items' numbers, flat.
        offsets: where each item begins, and the end, `[items + 1]`.
        shapes: each item's shape, `[items, dimensions]`.
        content: sha256 of all numbers in order.
        damaged: row of the item table -> why it could not be read; such an item is empty here.
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    shapes: NDArray[np.int64]
    content: str
    damaged: dict[int, str]

    def __len__(self) -> int:
        return len(self.shapes)

    def item(self, index: int) -> NDArray[Any]:
        """One item in its own shape."""
        flat = self.values[self.offsets[index] : self.offsets[index + 1]]
        return flat.reshape(self.shapes[index])

    def length(self, index: int) -> int:
        """How many numbers an item holds."""
        return int(self.offsets[index + 1] - self.offsets[index])

    def span(self, index: int, start: int, count: int) -> NDArray[Any]:
        """`count` numbers of an item from `start`; short items are tiled."""
        item = self.values[self.offsets[index] : self.offsets[index + 1]]
        if len(item) < start + count:
            item = np.resize(item, start + count)
        return item[start : start + count]


@dataclass(frozen=True)
class PackRequest:
    """What is to be packed, and where.

    Attributes:
        folder: where the pack lies; it appears there whole or not at all.
        corpus: the reader.
        source: the corpus's folder.
        items: the item table, in pack order.
        advance: told how many items were decoded since the last call.
    """

    folder: Path
    corpus: Corpus
    source: Path
    items: pd.DataFrame
    advance: Advance


def packed(request: PackRequest, *, keep_damaged: bool = False, fresh: bool = False) -> Pack:
    """Open a pack, making it first where it is missing.

    Args:
        request: what and where.
        keep_damaged: a pack with damaged items is made anew (they may have been mended since)
            unless this is set.
        fresh: make it anew in any case, from the files as they are now.
    """
    with lock(request.folder):
        _clear_leavings(request.folder)
        if request.folder.exists() and (fresh or _to_be_mended(request.folder, keep_damaged)):
            shutil.rmtree(request.folder)
        if not request.folder.exists():
            _make(request)
        return _open(request.folder)


def _to_be_mended(folder: Path, keep_damaged: bool) -> bool:
    return not keep_damaged and bool(_open(folder).damaged)


def _clear_leavings(folder: Path) -> None:
    """Remove what a killed packing left: nobody else packs while the lock is held."""
    for leaving in folder.parent.glob(f".{escape(folder.name)}.*"):
        shutil.rmtree(leaving, ignore_errors=True)


def _make(request: PackRequest) -> None:
    folder = request.folder
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        _fill(temporary, request)
        temporary.chmod(0o755)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(folder: Path, request: PackRequest) -> None:
    hasher, shapes, damaged = hashlib.sha256(), [], {}
    dtype = np.dtype(np.int16 if request.corpus.kind == "audio" else np.uint8)
    empty = np.zeros((0,) * (1 if request.corpus.kind == "audio" else 2), dtype)
    with (folder / "values").open("wb") as file:
        for row, found in enumerate(_decoded(request)):
            if isinstance(found, str):
                damaged[row] = found
            content = empty if isinstance(found, str) else np.asarray(found, dtype)
            shapes.append(content.shape)
            hasher.update(content.tobytes())
            file.write(content.tobytes())
        file.flush()
        os.fsync(file.fileno())
    np.save(folder / "shapes.npy", np.array(shapes, dtype=np.int64))
    facts = {"content": hasher.hexdigest(), "dtype": dtype.name, "damaged": damaged}
    (folder / "facts.json").write_text(readable_json(facts), encoding="utf-8")


def _open(folder: Path) -> Pack:
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    shapes = np.load(folder / "shapes.npy")
    offsets = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))]).astype(np.int64)
    empty = offsets[-1] == 0
    dtype = np.dtype(facts["dtype"])
    values = np.zeros(0, dtype) if empty else np.memmap(folder / "values", dtype, mode="r")
    damaged = {int(row): why for row, why in facts["damaged"].items()}
    return Pack(values, offsets, shapes, facts["content"], damaged)


def _decoded(request: PackRequest) -> Iterator[NDArray[Any] | str]:
    rows = list(request.items.itertuples(index=False, name=None))
    names = tuple(request.items.columns)
    jobs = [
        (request.corpus, request.source, names, rows[start : start + CHUNK])
        for start in range(0, len(rows), CHUNK)
    ]
    for chunk in _chunks(jobs):
        request.advance(len(chunk))
        yield from chunk


def _chunks(jobs: list[Job]) -> Iterator[list[NDArray[Any] | str]]:
    workers = min(os.cpu_count() or 1, len(jobs))
    if workers < 2:
        yield from map(_decode_chunk, jobs)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_end_with_parent
    ) as pool:
        yield from pool.map(_decode_chunk, jobs)


def _end_with_parent() -> None:
    """A worker waits for work for ever where its parent was killed, unless it looks."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _decode_chunk(job: Job) -> list[NDArray[Any] | str]:
    corpus, source, names, rows = job
    table = pd.DataFrame(rows, columns=list(names))
    return [_decode(corpus, source, item) for item in table.itertuples(index=False)]


def _decode(corpus: Corpus, source: Path, item: Any) -> NDArray[Any] | str:
    try:
        return corpus.read(item, source)
    except DamagedItem as error:
        return str(error)
