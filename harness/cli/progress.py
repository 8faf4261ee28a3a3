"""Progress on standard error: a bar on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from harness.cli.output import message_console

if TYPE_CHECKING:
    from harness.datasets.listing import Listing
    from harness.datasets.packing.pack_request import Advance
    from harness.records.record import Record
    from harness.run.events import ProgressEvent
    from harness.run.job.spec import JobSpec


class ProgressDisplay:
    """Shows the events of a call: corpora that are packed, jobs that run."""

    def __init__(self) -> None:
        self._console = message_console()
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()
        self._total = self._ended = 0

    def __enter__(self) -> ProgressDisplay:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, event: ProgressEvent) -> None:
        """Show an event of a call."""
        if event.kind == "message":  # a job's worker may have one too
            self._line(event.text)
        elif event.job is not None:
            self._show_job(event, event.job)
        elif event.kind == "reading":
            self._show_reading(event.text, event.done, event.total)
        elif event.kind == "jobs":
            self._total, self._ended = event.total, 0  # a sweep has two such lists of jobs

    def packing(self, listing: Listing) -> Advance:
        """Return a callback for newly decoded items of a dataset."""
        from harness.run.events import reading_counter

        return reading_counter(listing, self.show)

    def tell(self, message: str) -> None:
        """Show a message for a person who waits."""
        self._line(message)

    def _show_reading(self, dataset: str, done: int, total: int) -> None:
        """Show a dataset that is decoded, from its first items on."""
        if dataset not in self._tasks:
            self._begin(dataset, f"{dataset}: reading", total)
        self._bars.update(self._tasks[dataset], completed=done)
        if done == total:
            self._end(dataset)
            self._line(f"{dataset}: {done:,} items read")

    def _show_job(self, event: ProgressEvent, job: JobSpec) -> None:
        if event.kind == "start":
            self._begin(job.digest, f"{job.title}: starting", None)
        elif event.kind == "stage":
            self._end(job.digest)
            self._begin(job.digest, f"{job.title}: {event.text}", event.total)
            if not self._console.is_terminal:
                self._line(f"{job.title}: {event.text} ({event.total:,})")
        elif event.kind == "advance":
            shown = f"loss {event.loss:.3f}" if event.loss is not None else ""
            self._bars.update(self._tasks[job.digest], completed=event.done, loss=shown)
        elif event.record is not None:
            self._end(job.digest)
            self._ended += 1
            # A search does not know how many trainings it will take.
            count = f"[{self._ended}/{self._total}] " if self._total else ""
            split = " on validation" if job.only == "validate" else ""
            self._line(f"{count}{job.title}: {_result(event.record)}{split}")

    def _begin(self, key: str, description: str, total: int | None) -> None:
        with self._lock:
            self._tasks[key] = self._bars.add_task(description, total=total, loss="")

    def _end(self, key: str) -> None:
        with self._lock:
            task = self._tasks.pop(key, None)
            if task is not None:
                self._bars.remove_task(task)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def _result(record: Record) -> str:
    primary = record.metrics.get(record.protocol.primary)
    if primary is None:
        return f"{record.state}: {record.reason}"
    facts = record.protocol.facts[record.protocol.primary]
    factor = 100 if facts.unit == "%" else 1
    return f"{facts.title} {primary.value * factor:.2f} {facts.unit}"
