"""Jobs as subprocesses of this machine, one or several at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from time import perf_counter
from typing import Protocol

from harness.execute.process import Answer, Crew, Watcher
from harness.job.join import failed, keep
from harness.job.measurement import Measurement
from harness.job.spec import JobSpec
from harness.records.files import write_text
from harness.records.record import Record


class Listener(Watcher, Protocol):
    """Who watches jobs run."""

    def expects(self, jobs: int) -> None:
        """So many jobs are going to be run."""

    def begins(self, job: JobSpec) -> None:
        """A job starts."""

    def ends(self, job: JobSpec, record: Record) -> None:
        """The job has its record."""


def run_all(jobs: list[JobSpec], workers: int, listener: Listener) -> Iterator[Record]:
    """Run jobs, `workers` at a time, and give each record as it comes.

    A job whose process dies is a failed record that says how; the others go on. When the caller
    stops, so do the processes; what they were at is not a failure and leaves no record.
    """
    crew = Crew(listener)
    pool = ThreadPoolExecutor(workers)
    futures = [pool.submit(_record, crew, job, listener) for job in jobs]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        crew.stop()
        pool.shutdown(cancel_futures=True)


def measure_all(jobs: list[JobSpec], watcher: Watcher) -> Iterator[Measurement]:
    """Measure what jobs cost, one after the other, with nothing beside; nothing is trained."""
    crew = Crew(watcher)
    try:
        for job in jobs:
            answer = crew.ask(job.model_copy(update={"only": "measure"}))
            found = _measurement(answer)
            if found.state == "done":
                began = perf_counter()
                first = crew.ask(job.model_copy(update={"only": "first result"}))
                seconds = perf_counter() - began if first.result is not None else None
                found = found.model_copy(update={"first_result_seconds": seconds})
            yield found
    finally:
        crew.stop()


def _record(crew: Crew, job: JobSpec, listener: Listener) -> Record:
    listener.begins(job)
    answer = crew.ask(job)
    if answer.result is not None:
        record = Record.model_validate(answer.result)
    else:
        record = keep(job, failed(job, "failed", answer.why), None)
        write_text(job.folder / "errors.log", answer.errors)
    listener.ends(job, record)
    return record


def _measurement(answer: Answer) -> Measurement:
    if answer.result is None:
        return Measurement(state="failed", reason=answer.why)
    return Measurement.model_validate(answer.result)
