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
    from harness.run.job.spec import JobSpec


class ProgressDisplay:
    """Watches corpora being packed and jobs being run."""

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

    def packing(self, listing: Listing) -> Advance:
        """Show a dataset being decoded, once something of it is."""
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            if done == 0:
                self._begin(listing.key, f"{listing.name}: reading", len(listing.items))
            done += count
            self._bars.update(self._tasks[listing.key], completed=done)
            if done == len(listing.items):
                self._end(listing.key)
                self._line(f"{listing.name}: {done:,} items read")

        return advance

    def tell(self, message: str) -> None:
        """Say what a person who waits wants to know."""
        self._line(message)

    def expects(self, jobs: int) -> None:
        """So many jobs are going to be run."""
        self._total = jobs

    def begins(self, job: JobSpec) -> None:
        """A job starts."""
        self._begin(job.digest, f"{job.title}: starting", None)

    def stage(self, job: JobSpec, name: str, total: int) -> None:
        """A stage starts."""
        self._end(job.digest)
        self._begin(job.digest, f"{job.title}: {name}", total)
        if not self._console.is_terminal:
            self._line(f"{job.title}: {name} ({total:,})")

    def advances(self, job: JobSpec, done: int, loss: float | None) -> None:
        """Some of the stage is done."""
        shown = f"loss {loss:.3f}" if loss is not None else ""
        self._bars.update(self._tasks[job.digest], completed=done, loss=shown)

    def ends(self, job: JobSpec, record: Record) -> None:
        """The job has its record."""
        self._end(job.digest)
        self._ended += 1
        primary = record.metrics.get(record.protocol.primary)
        facts = record.protocol.facts[record.protocol.primary]
        factor = 100 if facts.unit == "%" else 1
        said = f"{facts.title} {primary.value * factor:.2f} {facts.unit}" if primary else ""
        count = f"[{self._ended}/{self._total}]"
        self._line(f"{count} {job.title}: {said or f'{record.state}: {record.reason}'}")

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
