"""About how long packing will take, by reading a few items."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from harness.data.corpus import Corpus, DamagedItem
from harness.datasets.packing.child_process import end_with_parent
from harness.datasets.packing.decoding import chunked
from harness.datasets.packing.request import PackRequest
from harness.errors import DataError
from harness.measure.timing import cpu_times

SAMPLE = 4
"""Items that are read for it, evenly spaced."""


def packing_seconds(request: PackRequest) -> float:
    """About how long it takes to pack items with all processes, by reading some in another one.

    Raises:
        DataError: reading them failed, or ended the process.
    """
    count = len(request.items)
    rows = np.unique(np.linspace(0, count - 1, SAMPLE + 1).astype(int))
    sample = request.items.iloc[rows]
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
        reading = pool.submit(_reading_seconds, request.corpus, request.source, sample)
        error = reading.exception()
    if error is not None:
        raise DataError(f"{request.name}: reading some of its items failed: {error}") from error
    spent = reading.result()
    lengths = sample["seconds"].to_numpy(float)[1:]
    whole = float(request.items["seconds"].sum()) / lengths.sum() if lengths.all() else 0.0
    times = whole or count / max(1, len(lengths))
    return spent * times / min(request.processes, len(chunked(request.items, np.arange(count))))


def _reading_seconds(corpus: Corpus, source: Path, items: pd.DataFrame) -> float:
    """Seconds that all items but the first take, which pays for what is loaded on first use.

    What was waited for a processor is not counted.
    """
    began, before = time.perf_counter(), cpu_times()
    for place, item in enumerate(items.itertuples(index=False)):
        with suppress(DamagedItem):
            corpus.read(item, source)
        if place == 0 and len(items) > 1:
            began, before = time.perf_counter(), cpu_times()
    waited = cpu_times().since(before).share or 0.0
    return (time.perf_counter() - began) * (1 - waited)
