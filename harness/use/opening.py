"""A network opened for use: of a run, or of a folder that `harness export` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.config.loader import LoadedBenchmark
from harness.errors import RequestError
from harness.measure.device import Device
from harness.run.folder import CACHE
from harness.tasks.task import Output
from harness.use.finished_run import find_finished_run
from harness.use.model_facts import describe_run
from harness.use.networks import Network, RunNetwork


@dataclass(frozen=True)
class Asked:
    """Which network is asked for.

    Attributes:
        run: as `harness runs list` names it, or a record; None with `folder`.
        folder: that `harness export` wrote; None with `run`.
        checkpoint: the run's weights, if they lie elsewhere.
        runs: the folder of runs.
        device: that a run's network computes on.
    """

    run: Path | None
    folder: Path | None
    checkpoint: str | None
    runs: Path
    device: Device = "cpu"


def open_network(loaded: LoadedBenchmark, asked: Asked, output: Output) -> Network:
    """Open a network.

    Args:
        loaded: the benchmark.
        asked: which.
        output: what it is to give.

    Raises:
        RequestError: neither or both are named, or it is not here or gives something else.
    """
    if (asked.run is None) == (asked.folder is None):
        raise RequestError("name a network: either --run RUN, or --model-dir DIR of an export")
    if asked.folder is not None:
        from harness.use.exported_network import open_export

        return open_export(asked.folder, output)
    if asked.run is None:
        raise TypeError("a run is named where no folder is")
    run = find_finished_run(loaded, asked.run, asked.runs, asked.checkpoint)
    facts = describe_run(run, asked.runs / CACHE)
    return RunNetwork(facts, run.network(output), asked.device)
