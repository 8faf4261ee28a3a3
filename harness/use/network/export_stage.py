"""A network exported within a worker: written, run again by its runtime, held against PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from harness.adapter import Spectrogram
from harness.errors import RequestError
from harness.measure.timing import quantile, time_action
from harness.run.plan.questions import Report
from harness.train.system import System
from harness.use.export_facts import (
    GRAPH,
    INT8_GRAPH,
    LARGEST_DIFFERENCE,
    TRACED,
    ExportedFile,
    ExportRequest,
)
from harness.use.given_items import GivenItems
from harness.use.network.deployment import (
    Deployment,
    check_batches,
    comparable,
    example_of,
    reference,
)
from harness.use.network.onnx_export import add_metadata, quantise, write_onnx
from harness.use.network.runtimes import open_runtime
from harness.use.network.torchscript_export import FACTS, write_torchscript

TIMED, REPEATS = 0.3, 5
"""Seconds and repeats that a latency is measured for, at least."""

OF_RAW = {"audio": "waveform", "image": "picture", "vector": "vector"}
"""Name of a graph's input, its front end within."""


class Exporter:
    """Exports one network.

    Args:
        system: the network, in evaluation mode.
        request: what is asked for.
    """

    def __init__(self, system: System, request: ExportRequest) -> None:
        self.system, self.request = system, request
        self.items = GivenItems.load(request.checked)
        self.is_inside = request.features == "inside"
        self.kind = system.declared.kind
        self.raw = check_batches(system, self.items)
        self.example = example_of(system, self.raw)
        self.wanted = [reference(system, request.output, raw) for raw in self.raw]

    def export(self, report: Report) -> tuple[ExportedFile, ...]:
        """Write the files and hold each against the network.

        Args:
            report: receives what is done.

        Raises:
            RequestError: it cannot be exported, or gives something else than the network does.
        """
        report("tracing the network")
        name = TRACED if self.request.format == "torchscript" else GRAPH
        self._write(self.request.folder / name)
        report("running the exported network")
        plain = self._held(name)
        if not plain.difference <= LARGEST_DIFFERENCE:
            raise RequestError(
                f"{name}: gives other {plain.output}s than PyTorch, by up to "
                f"{plain.difference:.2g} where {LARGEST_DIFFERENCE:g} is allowed, on "
                f"{plain.items} items; nothing was written"
            )
        if not self.request.int8:
            return (plain,)
        report("quantising the network")
        ranges = GivenItems.load(self.request.calibrating)
        examples = [self._given(raw[:1]).numpy() for raw in check_batches(self.system, ranges)]
        folder = self.request.folder
        quantise(folder / name, folder / INT8_GRAPH, examples)
        return plain, self._held(INT8_GRAPH)

    def _write(self, path: Path) -> None:
        request = self.request
        deployment = self._deployment
        example = self._given(self.example)
        if request.format == "torchscript":
            write_torchscript(deployment, example, path, {FACTS: request.facts})
            return
        names = self._input, request.output
        write_onnx(deployment, example, names, path, self._length)
        add_metadata(path, {"trialboard": request.facts})

    def _held(self, name: str) -> ExportedFile:
        """Run a file and hold its outputs against the network's."""
        path = self.request.folder / name
        run = open_runtime(path)
        found = [run(self._given(raw).numpy()) for raw in self.raw]
        one = self._given(self.example[:1]).numpy()
        sides = [
            (
                comparable(torch.from_numpy(ours), self.request.output),
                comparable(theirs, self.request.output),
            )
            for ours, theirs in zip(found, self.wanted, strict=True)
        ]
        apart = max(float((ours - theirs).abs().max()) for ours, theirs in sides)
        return ExportedFile(
            name=name,
            input=self._input,
            input_shape=self._shape,
            output=self.request.output,
            output_size=int(self.wanted[0].shape[1]),
            items=len(self.items),
            difference=apart,
            score_difference=_scores_apart(sides) if self.request.output == "embedding" else None,
            bytes=path.stat().st_size,
            latency=median_seconds(lambda: run(one)),
            latency_of_pytorch=self._pytorch_seconds,
        )

    def _given(self, raw: Tensor) -> Tensor:
        """Return what the exported network is given for a raw batch."""
        return raw if self.is_inside else self.system.inputs(raw)

    @cached_property
    def _deployment(self) -> Deployment:
        shape = self.items.shape(0) if self.is_inside else None
        return Deployment(self.system, self.request.output, shape)

    @cached_property
    def _pytorch_seconds(self) -> float:
        one = self._given(self.example[:1])
        deployment = self._deployment

        def run() -> Tensor:
            with torch.inference_mode():
                found: Tensor = deployment(one)
                return found

        return median_seconds(run)

    @property
    def _input(self) -> str:
        return OF_RAW[self.kind] if self.is_inside else "features"

    @property
    def _shape(self) -> tuple[int | str, ...]:
        sizes: list[int | str] = list(self._given(self.raw[0][:1]).shape)
        sizes[0] = "batch"
        if self._length is not None:
            sizes[self._length] = "samples" if self.is_inside else "frames"
        return tuple(sizes)

    @property
    def _length(self) -> int | None:
        """The axis of any length; None if all but the batch is fixed."""
        if self.kind != "audio":
            return None
        return 3 if isinstance(self.system.declared, Spectrogram) and not self.is_inside else 1


def median_seconds(action: Callable[[], object]) -> float:
    """Return the median time of an action."""
    return quantile(time_action(action, at_least=TIMED, fewest=REPEATS).seconds, 0.5)


def _scores_apart(sides: list[tuple[Tensor, Tensor]]) -> float:
    """Return how far cosines of all pairs of items are apart, of embeddings of length 1."""
    ours, theirs = (torch.cat(side) for side in zip(*sides, strict=True))
    return float((ours @ ours.T - theirs @ theirs.T).abs().max())
