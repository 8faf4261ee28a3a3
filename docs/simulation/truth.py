"""The population's own EER and minDCF, by scoring very many of its speakers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from docs.simulation.cells import Cell
from docs.simulation.lists import draw_list
from docs.simulation.population import scores
from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint

Floats = NDArray[np.float32]

CHUNK = 2_000
"""Speakers scored together; trials of different chunks share no speaker."""

NONTARGETS = 20_000
"""Nontarget trials a chunk, so that hardly two are of the same pair of speakers."""


def chunk(cell: Cell, seed: int, index: int) -> tuple[Floats, Floats]:
    """Scores one chunk of the population: targets and nontargets."""
    rng = np.random.default_rng([seed, index, *b"truth"])
    trials = draw_list(rng, CHUNK, unevenness=cell.unevenness, nontargets=NONTARGETS)
    values = scores(rng, cell.population, trials, np.ones(1))[0]
    return values[trials.is_target], values[~trials.is_target]


def truth(cell: Cell, chunks: Iterable[tuple[Floats, Floats]]) -> dict[str, float]:
    """Computes the metrics of all chunks together."""
    sides = list(chunks)
    targets = np.concatenate([each[0] for each in sides])
    nontargets = np.concatenate([each[1] for each in sides])
    found = {"eer": eer(targets, nontargets).value}
    for prior in cell.priors:
        point = OperatingPoint(p_target=prior)
        found[f"min_dcf_{prior}"] = min_dcf(targets, nontargets, point).value
    return found
