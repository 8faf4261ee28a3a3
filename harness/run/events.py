"""The one kind of event that reports the progress of a call, from packing to the last record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.datasets.listing import Listing
    from harness.records.record import Record
    from harness.run.job.spec import JobSpec

Kind = Literal["message", "reading", "jobs", "start", "stage", "advance", "end"]


@dataclass(frozen=True)
class ProgressEvent:
    """One event of a call.

    Attributes:
        kind: `message` is a line for a person who waits; `reading` counts decoded items of a
            dataset; `jobs` says how many jobs will run; `start` and `end` belong to one job;
            `stage` begins a stage of a job, or a part of one; `advance` counts its finished units.
        text: the message, the dataset or the stage.
        done: items or units that are finished in all.
        total: items, jobs or units that are expected.
        loss: the training loss, if there is one.
        is_quiet: True for a stage that may be silent for as long as it takes.
        job: the job that it is about; a worker leaves it out, since it has only one.
        record: the record of the job that ended.
    """

    kind: Kind
    text: str = ""
    done: int = 0
    total: int = 0
    loss: float | None = None
    is_quiet: bool = False
    job: JobSpec | None = None
    record: Record | None = None


Watch = Callable[[ProgressEvent], None]
"""Receives every event of a call, from any thread."""


def ignore(_: ProgressEvent) -> None:
    """Drop an event."""


def message_sender(watch: Watch) -> Callable[[str], None]:
    """Return a callback for messages to a person who waits."""
    return lambda message: watch(ProgressEvent("message", message))


def reading_counter(listing: Listing, watch: Watch) -> Callable[[int], None]:
    """Return a callback for newly decoded items of a dataset; its events count all so far."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        watch(ProgressEvent("reading", listing.name, done=done, total=len(listing.items)))

    return advance
