"""Networks that give outputs for items: of a run, computed in a worker, or exported."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.measure.device import Device, default_threads
from harness.run.plan.adapter_workers import WORKERS
from harness.use.given_items import GivenItems
from harness.use.model_facts import ModelFacts
from harness.use.network_questions import ComputeOutputs
from harness.use.network_source import TrainedNetwork
from harness.use.split_items import SplitItems

AT_ONCE = 64
"""Items that a network is given at a time: their samples are in memory."""


class Network(Protocol):
    """A network with the facts that its outputs are read by.

    Attributes:
        facts: of it.
    """

    @property
    def facts(self) -> ModelFacts:
        """Facts of it."""

    def outputs(self, items: GivenItems) -> NDArray[np.float32]:
        """Return its outputs for items, `[items, size]`.

        Raises:
            HarnessError: an item is too short for it, or its code failed.
        """


class RunNetwork:
    """The network of a run; its adapters' code runs in a worker process alone.

    Args:
        facts: of it.
        source: what it is built from.
        device: that it computes on.
    """

    def __init__(self, facts: ModelFacts, source: TrainedNetwork, device: Device = "cpu") -> None:
        self.facts, self._source, self._device = facts, source, device

    def outputs(self, items: GivenItems) -> NDArray[np.float32]:
        """Return its outputs for items, `[items, size]`, as its evaluation computed them."""
        with TemporaryDirectory(prefix="trialboard-") as folder:
            given = Path(folder, "items.npz")
            items.save(given)
            return compute_outputs(self._source, given, self._device)


def compute_outputs(
    source: TrainedNetwork, items: Path | SplitItems, device: Device
) -> NDArray[np.float32]:
    """Ask a worker for a network's outputs for items, `[items, size]`.

    Args:
        source: the network.
        items: a file that `GivenItems.save` wrote, or a split of a dataset.
        device: that it computes on.

    Raises:
        HarnessError: the network cannot be built, an item is too short for it, or its code failed.
    """
    with TemporaryDirectory(prefix="trialboard-") as folder:
        found = Path(folder, "outputs.npy")
        WORKERS.ask(ComputeOutputs(source, items, found, device, default_threads(1)))
        return np.asarray(np.load(found))
