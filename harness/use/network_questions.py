"""Questions that run a finished network: outputs for items, and its export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from harness.run.plan.questions import Report, adapter_key
from harness.use.export_facts import ExportedFile, ExportRequest
from harness.use.given_items import GivenItems
from harness.use.network_source import PLURAL, TrainedNetwork
from harness.use.split_items import SplitItems


class Done(BaseModel):
    """An answer that stands in a file."""


class Exported(BaseModel):
    """The files of an export."""

    files: tuple[ExportedFile, ...]


@dataclass(frozen=True)
class _NetworkQuestion:
    """A question about a run's network.

    Attributes:
        source: the network.
    """

    source: TrainedNetwork

    @property
    def adapters(self) -> frozenset[str]:
        """The keys of model and head."""
        used = filter(None, (self.source.model, self.source.loss))
        return frozenset(adapter_key(each.adapter, each.fields) for each in used)


@dataclass(frozen=True)
class ComputeOutputs(_NetworkQuestion):
    """Computes the outputs of items as an evaluation does.

    Attributes:
        items: a file that `GivenItems.save` wrote, or a split of a dataset.
        outputs: the file that receives `[items, size]`, float32.
        device, threads: that it computes with.
    """

    items: Path | SplitItems
    outputs: Path
    device: str = "cpu"
    threads: int = 1

    answers: ClassVar = Done

    def answer(self, report: Report) -> Done:
        """Compute and write them.

        Raises:
            RequestError, ConfigError: the network cannot be built, or an item is too short for it.
        """
        import torch

        from harness.train.system import outputs_of
        from harness.use.network.loading import load_network

        torch.set_num_threads(self.threads)
        report(f"{self.source.model.name}: building its network")
        system = load_network(self.source, self.device)
        report(f"{self.source.model.name}: computing {PLURAL[self.source.output]}")
        found = outputs_of(
            system,
            GivenItems.load(self.items) if isinstance(self.items, Path) else self.items.open(),
            self.source.output,
            torch.device(self.device),
            lambda _: report(f"{self.source.model.name}: computing {PLURAL[self.source.output]}"),
            crops=self.source.crops,
        )
        np.save(self.outputs, found)
        return Done()


@dataclass(frozen=True)
class ExportNetwork(_NetworkQuestion):
    """Exports the network and holds the files against it.

    Attributes:
        request: what is asked for.
    """

    request: ExportRequest

    answers: ClassVar = Exported

    def answer(self, report: Report) -> Exported:
        """Write the files.

        Raises:
            RequestError, ConfigError: it cannot be built or exported, or gives other outputs.
        """
        import torch

        from harness.use.network.export_stage import Exporter
        from harness.use.network.loading import load_network

        torch.set_num_threads(1)  # its latency is compared with that of the file

        name = self.source.model.name
        report(f"{name}: building its network")
        exporter = Exporter(load_network(self.source), self.request)
        return Exported(files=exporter.export(lambda act: report(f"{name}: {act}")))
