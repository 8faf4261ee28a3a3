"""A network exported within a worker: written, run again by its runtime, held against PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from harness.adapter import Spectrogram
from harness.errors import RequestError
from harness.measure.alone import AT_WORK
from harness.measure.timing import cpu_times, time_action
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
from harness.use.network_source import PLURAL

TIMED, REPEATS = 0.3, 5
"""Seconds and repeats that a latency is measured for, at least."""

OF_RAW = {"audio": "waveform", "image": "picture", "vector": "vector", "vectors": "turn"}
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
        plain = self._held(name, LARGEST_DIFFERENCE, report)
        if not self.request.int8:
            return (plain,)
        report("quantising the network")
        ranges = GivenItems.load(self.request.calibrating)
        batches = check_batches(self.system, ranges)
        examples = [self._given(one).numpy() for raw in batches for one in torch.split(raw, 1)]
        folder = self.request.folder
        quantise(folder / name, folder / INT8_GRAPH, examples)
        return plain, self._held(INT8_GRAPH, math.inf, report)

    def _write(self, path: Path) -> None:
        request = self.request
        shape = self.items.shape(0) if self.is_inside else None
        deployment = Deployment(self.system, request.output, shape)
        example = self._given(self.example)
        if request.format == "torchscript":
            write_torchscript(deployment, example, path, {FACTS: request.facts})
            return
        names = self._input, request.output
        write_onnx(deployment, example, names, path, self._length)
        add_metadata(path, {"trialboard": request.facts})

    def _held(self, name: str, most: float, report: Report) -> ExportedFile:
        """Run a file and hold its outputs against the network's, from which NaN is always too far.

        Args:
            name: of the file.
            most: the largest difference that is allowed.
            report: receives what is done.
        """
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
        # By torch, whose largest of anything and NaN is NaN.
        apart = torch.stack([(ours - theirs).abs().max() for ours, theirs in sides]).max()
        if not float(apart) <= most:
            raise RequestError(
                f"{name}: gives other {PLURAL[self.request.output]} than PyTorch, by up to "
                f"{float(apart):.2g} on {len(self.items)} items where {most:g} is allowed; nothing "
                "was written"
            )
        latency, of_pytorch, waited = self._latencies(lambda: run(one), report)
        return ExportedFile(
            name=name,
            input=self._input,
            input_shape=self._shape,
            output=self.request.output,
            output_size=int(self.wanted[0].shape[1]),
            items=len(self.items),
            difference=float(apart),
            score_difference=_scores_apart(sides) if self.request.output == "embedding" else None,
            bytes=path.stat().st_size,
            latency=latency,
            latency_of_pytorch=of_pytorch,
            cpu_wait=waited,
        )

    def _latencies(
        self, run: Callable[[], object], report: Report
    ) -> tuple[float, float, float | None]:
        """Time a file and the network one after the other, while no job works on the machine.

        Returns:
            The median of each in seconds, and the share of the time that had no processor.
        """

        def wait(waits: bool) -> None:
            report("waiting for other jobs to stand still" if waits else "timing")

        with AT_WORK.begin(), AT_WORK.alone(wait):
            before = cpu_times()
            own, pytorch = _median_seconds(run), self._pytorch_seconds()
            waited = cpu_times().since(before).share
        return own, pytorch, waited

    def _given(self, raw: Tensor) -> Tensor:
        """Return what the exported network is given for a raw batch."""
        return raw if self.is_inside else self.system.inputs(raw)

    def _pytorch_seconds(self) -> float:
        raw, output = self.example[:1], self.request.output
        if self.is_inside:
            return _median_seconds(lambda: reference(self.system, output, raw))
        bare, features = Deployment(self.system, output, None), self._given(raw)
        with torch.inference_mode():
            return _median_seconds(lambda: bare(features))

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


def _median_seconds(action: Callable[[], object]) -> float:
    return time_action(action, at_least=TIMED, fewest=REPEATS).median


def _scores_apart(sides: list[tuple[Tensor, Tensor]]) -> float:
    """Return how far cosines of all pairs of items are apart, of embeddings of length 1."""
    ours, theirs = (torch.cat(side) for side in zip(*sides, strict=True))
    return float((ours @ ours.T - theirs @ theirs.T).abs().max())
