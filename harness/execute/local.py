"""Jobs as subprocesses of this machine, one or several at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

from harness.job.join import failed, keep
from harness.job.spec import JobSpec
from harness.measure.allocator import ALLOCATOR_ENVIRONMENT
from harness.records.record import Record


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

    A job whose process dies is a failed record that says how; the others go on.
    """
    running: set[subprocess.Popen[str]] = set()
    pool = ThreadPoolExecutor(workers)
    futures = [pool.submit(_run, job, listener, running) for job in jobs]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()
        for process in list(running):
            process.kill()
        pool.shutdown()


def _run(job: JobSpec, listener: Listener, running: set[subprocess.Popen[str]]) -> Record:
    listener.begins(job)
    with TemporaryFile("w+", encoding="utf-8") as errors:
        with _start(job, errors) as process:
            running.add(process)
            record = _follow(process, job, listener)
        running.discard(process)
        if record is None:
            reason = _why(process.returncode, errors)
            record = keep(job, failed(job, "failed", reason), None)
            _keep_log(job.folder, errors)
    listener.ends(job, record)
    return record


def _start(job: JobSpec, errors: IO[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.execute.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env=_environment(job),
    )
    if process.stdin is None:
        raise TypeError("the worker was started without a pipe")
    with suppress(BrokenPipeError):  # a worker that died already is told by its exit status
        process.stdin.write(job.model_dump_json() + "\n")
        process.stdin.flush()
    return process


def _environment(job: JobSpec) -> dict[str, str]:
    threads = {name: str(job.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**os.environ, **ALLOCATOR_ENVIRONMENT, **threads, "PYTHONUNBUFFERED": "1"}


def _follow(process: subprocess.Popen[str], job: JobSpec, listener: Listener) -> Record | None:
    handlers: dict[str, Callable[[dict[str, Any]], None]] = {
        "stage": lambda event: listener.stage(job, event["name"], event["total"]),
        "advance": lambda event: listener.advances(job, event["done"], event["loss"]),
    }
    record = None
    for line in process.stdout or ():
        event = json.loads(line)
        if event["event"] == "record":
            record = Record.model_validate(event["record"])
        else:
            handlers[event["event"]](event)
    process.wait()
    return record if process.returncode == 0 else None


def _why(status: int, errors: IO[str]) -> str:
    if status < 0:
        return f"its process was ended by {signal.Signals(-status).name}"
    errors.seek(0)
    lines = [line for line in errors.read().splitlines() if line.strip()]
    return lines[-1].strip()[:500] if lines else f"its process ended with status {status}"


def _keep_log(folder: Path, errors: IO[str]) -> None:
    errors.seek(0)
    (folder / "errors.log").write_text(errors.read(), encoding="utf-8")
