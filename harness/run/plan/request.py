"""What a call asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.config.loader import LoadedBenchmark
from harness.config.tables import Profile
from harness.datasets.listing import Listing
from harness.datasets.lock import DatasetLock, dataset_pin
from harness.measure.device import Device


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a call asks for; an empty tuple asks for all that the suite names.

    Attributes:
        suite, profile: which jobs.
        datasets, models, losses, seeds: only these.
        settings: recipe keys to change, as `--set` gives them.
        runs: where records and stages lie.
        device, threads: where jobs run.
        data_workers: processes a job that make training inputs; 0 for a thread.
        options: of torch, with which systems are measured (see `harness.run.job.spec.OPTIONS`).
        leave_out_damaged: go on without files that cannot be used.
    """

    suite: str
    profile: Profile
    runs: Path
    device: Device
    threads: int
    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    leave_out_damaged: bool = False
    data_workers: int = 0
    options: tuple[str, ...] = ()

    @property
    def cache(self) -> Path:
        """Where packed corpora lie."""
        return self.runs / "cache"


@dataclass(frozen=True)
class Source:
    """A dataset as far as it is known: its lists, and what the lock says of it.

    Attributes:
        pinned: whether the lock has an entry of it, or gets one as soon as it is decoded.
        opened: False where only its lists were read so far.
    """

    listing: Listing
    lock: DatasetLock
    left_out: tuple[str, ...] = ()
    pinned: bool = True
    opened: bool = True


@dataclass(frozen=True)
class CheckpointEntry:
    """A checkpoint made elsewhere, and what it is a checkpoint of.

    Attributes:
        path: the file.
        model: a model of the benchmark.
        loss: the loss whose head the file brings too; None where it holds the network alone.
        trained_on: corpora, as told by whoever gives it; None where nobody tells.
    """

    path: Path
    model: str
    loss: str | None = None
    trained_on: tuple[str, ...] | None = None


def source_of(loaded: LoadedBenchmark, listing: Listing) -> Source:
    """A dataset with its pinned lock; its content is unknown where nothing is pinned."""
    pinned = dataset_pin(loaded.lock_path, listing.key, loaded.base_lock_paths)
    lock = pinned[0] if pinned else listing.lock
    pins = listing.pins_itself or pinned is not None
    return Source(listing, lock, pinned=pins, opened=False)
