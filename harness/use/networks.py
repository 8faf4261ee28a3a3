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
from harness.use.network_source import NetworkSource
from harness.use.questions import ComputeOutputs

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

    def __init__(self, facts: ModelFacts, source: NetworkSource, device: Device = "cpu") -> None:
        self.facts, self._source, self._device = facts, source, device

    def outputs(self, items: GivenItems) -> NDArray[np.float32]:
        """Return its outputs for items, `[items, size]`, as its evaluation computed them."""
        with TemporaryDirectory(prefix="trialboard-") as folder:
            given, found = Path(folder, "items.npz"), Path(folder, "outputs.npy")
            items.save(given)
            threads = default_threads(1)
            WORKERS.ask(ComputeOutputs(self._source, given, found, self._device, threads))
            return np.asarray(np.load(found))
