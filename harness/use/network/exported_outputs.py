"""Outputs of an exported file for items, by the rules of an evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from harness.feeding.evaluation_batches import whole_batches
from harness.feeding.front_end import front_end
from harness.measure.device import default_threads
from harness.train.system import MOST_NUMBERS
from harness.use.export_facts import ExportFacts
from harness.use.given_items import GivenItems
from harness.use.network.runtimes import open_runtime


def exported_outputs(path: Path, facts: ExportFacts, items: GivenItems) -> NDArray[np.float32]:
    """Compute outputs of whole items, `[items, size]`, as `harness.train.system.outputs_of` does.

    Args:
        path: one of the export's files.
        facts: of the export.
        items: sounds or pictures.

    Raises:
        ConfigError: an item is too short for the network.
    """
    model = facts.model
    declared = model.input.input
    made = nn.Identity() if facts.features == "inside" else front_end(declared).eval()
    run = open_runtime(path, default_threads(1))
    batches = list(whole_batches(items, declared, MOST_NUMBERS, model.crops))
    found = [run(made(raw).numpy()) for _, raw in batches]
    size = found[0].shape[1]
    outputs, counts = np.zeros((len(items), size), dtype=np.float32), np.zeros(len(items))
    averages_directions = model.crops is not None and facts.files[0].output == "embedding"
    for (rows, _), values in zip(batches, found, strict=True):
        length = np.linalg.norm(values, axis=1, keepdims=True) if averages_directions else 1
        np.add.at(outputs, rows, values / length)
        np.add.at(counts, rows, 1)
    return np.asarray(outputs / counts[:, None], dtype=np.float32)
