"""Jobs as subprocesses of this machine, one or several at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from time import perf_counter
from typing import Protocol

from harness.errors import PathError, StorageError, file_error
from harness.records.files import write_text
from harness.records.record import Record
from harness.run.execute.process import Answer, Crew, Watcher
from harness.run.job.join import keep_failed
from harness.run.job.measurement import FIRST_RESULT, Measurement
from harness.run.job.spec import JobSpec


class Listener(Watcher, Protocol):
    """Who watches jobs run."""

    def expects(self, jobs: int) -> None:
        """So many jobs are going to be run."""

    def begins(self, job: JobSpec) -> None:
        """A job starts."""

    def ends(self, job: JobSpec, record: Record) -> None:
        """The job has its record."""


def run_all(
    jobs: list[JobSpec], workers: int, listener: Listener
) -> Iterator[tuple[JobSpec, Record]]:
    """Run jobs, `workers` at a time, and give each with its record as it comes.

    A job whose process dies is a failed record that says how; the others go on. So is one that
    planning refused, with no process started. When the caller stops, so do the processes; what
    they were at is not a failure and leaves no record. Where the disk takes no record of a
    failure, it is given all the same.
    """
    crew = Crew(listener)
    pool = ThreadPoolExecutor(workers)
    futures = {pool.submit(_record, crew, job, listener): job for job in jobs}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        crew.stop()
        pool.shutdown(cancel_futures=True)


def measure_all(jobs: list[JobSpec], watcher: Watcher) -> Iterator[Measurement]:
    """Measure what jobs cost, one after the other, with nothing beside; nothing is trained."""
    first = _FirstResult(watcher)
    crew = Crew(first)
    try:
        for job in jobs:
            first.starts()
            answer = _answer(crew, job.model_copy(update={"only": "measure"}))
            told = {"first_result_seconds": first.seconds}
            yield _measurement(answer).model_copy(update=told)
    finally:
        crew.stop()


class _FirstResult:
    """Takes the time until a process has its first embedding; hands on all else that it says."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.starts()

    def starts(self) -> None:
        self._began, self._is_next = perf_counter(), False
        self.seconds: float | None = None

    def stage(self, job: JobSpec, name: str, total: int) -> None:
        self._is_next = name == FIRST_RESULT
        if not self._is_next:
            self._watcher.stage(job, name, total)

    def advances(self, job: JobSpec, done: int, loss: float | None) -> None:
        if self._is_next:
            self.seconds = perf_counter() - self._began
        else:
            self._watcher.advances(job, done, loss)


def _record(crew: Crew, job: JobSpec, listener: Listener) -> Record:
    listener.begins(job)
    answer = _answer(crew, job)
    if answer.result is not None:
        record = Record.model_validate(answer.result)
    else:
        record = keep_failed(job, "failed", answer.why)
        with suppress(PathError, StorageError):  # the row tells why as it is
            write_text(job.folder / "errors.log", answer.errors)
    listener.ends(job, record)
    return record


def _answer(crew: Crew, job: JobSpec) -> Answer:
    """What became of a job; where no process can be started for it, why not."""
    if job.refused:
        return Answer(None, job.refused, "")
    try:
        return crew.ask(job)
    except OSError as error:
        told = file_error(error)
        if told is None:
            raise
        return Answer(None, f"its process could not be started: {told}", "")


def _measurement(answer: Answer) -> Measurement:
    if answer.result is None:
        return Measurement(state="failed", reason=answer.why)
    return Measurement.model_validate(answer.result)
