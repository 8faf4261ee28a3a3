"""Jobs as subprocesses of this machine, one or several at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

from harness.job.join import failed, keep
from harness.job.spec import JobSpec
from harness.measure.allocator import ALLOCATOR_ENVIRONMENT
from harness.records.files import write_text
from harness.records.record import Record

SPIN_COUNT = "2000"
"""How long OpenMP's threads spin before they sleep.

By its default they spin for milliseconds, which costs a step up to ten times its time when
another program wants a core; with this they are as fast on an idle machine.
"""


class Listener(Protocol):
    """Who watches jobs run."""

    def expects(self, jobs: int) -> None:
        """So many jobs are going to be run."""

    def begins(self, job: JobSpec) -> None:
        """A job starts."""

    def stage(self, job: JobSpec, name: str, total: int) -> None:
        """A stage of it starts."""

    def advances(self, job: JobSpec, done: int, loss: float | None) -> None:
        """Some of the stage is done."""

    def ends(self, job: JobSpec, record: Record) -> None:
        """The job has its record."""


def run_all(jobs: list[JobSpec], workers: int, listener: Listener) -> Iterator[Record]:
    """Run jobs, `workers` at a time, and give each record as it comes.

    A job whose process dies is a failed record that says how; the others go on. When the caller
    stops, so do the processes; what they were at is not a failure and leaves no record.
    """
    crew = _Crew(listener)
    pool = ThreadPoolExecutor(workers)
    futures = [pool.submit(crew.run, job) for job in jobs]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        crew.stop()
        pool.shutdown(cancel_futures=True)


class _StoppedError(Exception):
    """The caller stopped before the job had its record."""


class _Crew:
    """The worker processes of a call."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(self, job: JobSpec) -> Record:
        """Run one job in a process of its own."""
        self._listener.begins(job)
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
            with self._worker(job, errors) as process:
                record = _follow(process, job, self._listener)
            record = record or self._without_record(job, process.returncode, errors)
        self._listener.ends(job, record)
        return record

    def stop(self) -> None:
        """End every process and start no other."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()

    def _without_record(self, job: JobSpec, status: int, errors: IO[str]) -> Record:
        if self._stopped:
            raise _StoppedError
        errors.seek(0)
        text = errors.read()
        record = keep(job, failed(job, "failed", _why(status, text)), None)
        write_text(job.folder / "errors.log", text)
        return record

    @contextmanager
    def _worker(self, job: JobSpec, errors: IO[str]) -> Iterator[subprocess.Popen[str]]:
        with self._lock:
            if self._stopped:
                raise _StoppedError
            process = _start(job, errors)
            self._running.add(process)
        try:
            _write(process.stdin, job.model_dump_json() + "\n")
            yield process
        finally:
            process.kill()
            process.wait()
            _close(process)
            with self._lock:
                self._running.discard(process)


def _start(job: JobSpec, errors: IO[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness.execute.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env=_environment(job),
        # A group of its own: Ctrl-C is the caller's to answer, not a death that makes a row.
        process_group=0,
    )


def _write(stream: IO[str] | None, text: str) -> None:
    """Hand something to a process; one that died already is told by its exit status."""
    if stream is not None:
        with suppress(BrokenPipeError):
            stream.write(text)
            stream.flush()


def _close(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def _environment(job: JobSpec) -> dict[str, str]:
    threads = {name: str(job.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {
        **os.environ,
        **ALLOCATOR_ENVIRONMENT,
        **threads,
        "GOMP_SPINCOUNT": SPIN_COUNT,
        "PYTHONUNBUFFERED": "1",
    }


def _follow(process: subprocess.Popen[str], job: JobSpec, listener: Listener) -> Record | None:
    handlers: dict[str, Callable[[dict[str, Any]], None]] = {
        "stage": lambda event: listener.stage(job, event["name"], event["total"]),
        "advance": lambda event: listener.advances(job, event["done"], event["loss"]),
    }
    record = None
    for line in process.stdout or ():
        if not line.endswith("\n"):
            break  # cut short: the process was ended while it wrote
        event = json.loads(line)
        if event["event"] == "record":
            record = Record.model_validate(event["record"])
        else:
            handlers[event["event"]](event)
    process.wait()
    return record  # whatever became of the process after it: the record is on disk


def _why(status: int, errors: str) -> str:
    if status < 0:
        name = next((each.name for each in signal.Signals if each == -status), f"signal {-status}")
        told = ", by somebody or by the system for lack of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{told}"
    return _raised(errors) or f"its process ended with status {status}"


def _raised(errors: str) -> str:
    """The exception that a program died of, as its last traceback names it; else the last line."""
    _, traceback, told = errors.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in told.splitlines() if line.strip()]
    named = [line for line in lines if not line[0].isspace()]
    return (named[0] if traceback and named else "".join(lines[-1:])).strip()[:500]
