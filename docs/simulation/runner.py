"""Runs cells on several processes; the result depends on the seed, not on how many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from docs.simulation import coverage, training
from docs.simulation.cells import CELLS, PRIORS, Cell
from docs.simulation.truth import CHUNK, chunk, truth

Truth = Mapping[str, float]
Map = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]


@dataclass(frozen=True)
class Result:
    """What came of a cell.

    Attributes:
        name: the cell's.
        data_sets: how many were drawn.
        truth: the population's metrics; empty for a cell with seeds.
        means: over the data sets: of what `coverage.judge` or `training.judge` found.
    """

    name: str
    data_sets: int
    truth: Truth
    means: Mapping[str, float]


@dataclass(frozen=True)
class Plan:
    """How much is drawn, and with which seed."""

    data_sets: int = 2_000
    truth_speakers: int = 500_000
    seed: int = 0


def run(names: Sequence[str], plan: Plan, processes: int) -> Iterator[Result]:
    """Runs the named cells, one after another, in the order of `CELLS`."""
    if processes == 1:
        yield from _all(map, names, plan)
        return
    # Spawned, not forked: whoever calls may have threads.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from _all(partial(pool.map, chunksize=4), names, plan)


def _all(mapped: Map, names: Sequence[str], plan: Plan) -> Iterator[Result]:
    truths: dict[str, Truth] = {}
    for cell in CELLS:
        if cell.name not in names:
            continue
        if cell.counts not in truths and not cell.has_seeds:
            truths[cell.counts] = _truth(mapped, cell, plan)
        yield _run(mapped, cell, plan, {} if cell.has_seeds else truths[cell.counts])


def _truth(mapped: Map, cell: Cell, plan: Plan) -> Truth:
    """The metrics of the population; of how many speakers a test draws they do not depend."""
    every = replace(cell, priors=PRIORS)
    indices = range(max(1, plan.truth_speakers // CHUNK))
    return truth(every, mapped(partial(chunk, every, plan.seed), indices))


def _run(mapped: Map, cell: Cell, plan: Plan, known: Truth) -> Result:
    sums: dict[str, float] = defaultdict(float)
    for found in mapped(partial(_one, cell, plan.seed, known), range(plan.data_sets)):
        for name, value in found.items():
            sums[name] += value
    means = {name: total / plan.data_sets for name, total in sums.items()}
    return Result(cell.name, plan.data_sets, known, means)


def _one(cell: Cell, seed: int, known: Truth, index: int) -> dict[str, float]:
    rng = np.random.default_rng([seed, index, *cell.name.encode()])
    if cell.has_seeds:
        return training.judge(cell, rng)
    return coverage.judge(cell, rng, known, seed=index)
