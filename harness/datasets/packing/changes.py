"""Which items of a pack are not what their files hold now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.datasets.packing.batch import Batch, joined
from harness.datasets.packing.content import Pack, write_stamps
from harness.datasets.packing.decoding import chunked, read_chunks
from harness.datasets.packing.request import PackRequest
from harness.datasets.packing.stamps import stamps_of

NAMED = 5
"""Changed files that are named; a corpus that was replaced has no end of them."""


def changed_items(request: PackRequest, pack: Pack, *, every: bool) -> NDArray[np.bool_]:
    """Tell of each item whether it is another one now, `[items]`.

    Items whose file has another size or time of change than when it was packed are read again,
    and so are those that could not be read; where they hold what they held, that is kept.

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
    changed[rows] = _differ(_read(request, rows), pack, rows)
    if not changed.any() and (stamps != pack.stamps).any():
        write_stamps(request.folder, stamps)
    _tell(request, changed)
    return changed


def _read(request: PackRequest, rows: NDArray[np.int64]) -> Batch:
    request.advance(len(request.items) - len(rows))
    batches = []
    for chunk in read_chunks(request, chunked(request.items, rows), keep=False):
        batches.append(chunk.batch)
        request.advance(len(chunk.batch))
    return joined(batches, request.dimensions)


def _differ(found: Batch, pack: Pack, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    other = (found.hashes != pack.hashes[rows]).any(axis=1)
    other |= (found.shapes != pack.shapes[rows]).any(axis=1)
    told = [(found.damaged, pack.damaged), (found.notes, pack.notes)]
    whys = [
        any(new.get(place) != old.get(row) for new, old in told) for place, row in enumerate(rows)
    ]
    return np.asarray(other | np.array(whys))


def _tell(request: PackRequest, changed: NDArray[np.bool_]) -> None:
    if changed.any():
        sources = request.items["source"][changed]
        named = ", ".join(sources.iloc[:NAMED])
        more = ", ..." if len(sources) > NAMED else ""
        request.tell(
            f"{request.name}: changed since it was packed: {len(sources):,} of "
            f"{len(changed):,} items ({named}{more}); they are packed anew"
        )
