"""The processes that jobs run in, and what they say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

from harness.job.spec import JobSpec
from harness.measure.allocator import ALLOCATOR_ENVIRONMENT

SPIN_COUNT = "2000"
"""How long OpenMP's threads spin before they sleep.

By its default they spin for milliseconds, which costs a step up to ten times its time when
another program wants a core; with this they are as fast on an idle machine.
"""


class Watcher(Protocol):
    """Who watches the stages of jobs."""

    def stage(self, job: JobSpec, name: str, total: int) -> None:
        """A stage of it starts."""

    def advances(self, job: JobSpec, done: int, loss: float | None) -> None:
        """Some of the stage is done."""


class StoppedError(Exception):
    """The caller stopped before the job had its answer."""


@dataclass(frozen=True)
class Answer:
    """What a process left.

    Attributes:
        result: its last message; None where it ended without one.
        status: its exit status.
        errors: what it wrote to standard error.
    """

    result: dict[str, Any] | None
    status: int
    errors: str

    @property
    def why(self) -> str:
        """Why there is no result."""
        return why(self.status, self.errors)


class Crew:
    """The worker processes of a call."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def ask(self, job: JobSpec) -> Answer:
        """Run what a job asks for in a process of its own.

        Raises:
            StoppedError: the caller stopped meanwhile.
        """
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
            with self._worker(job, errors) as process:
                result = _follow(process, job, self._watcher)
            errors.seek(0)
            answer = Answer(result, process.returncode, errors.read())
        if result is None and self._stopped:
            raise StoppedError
        return answer

    def stop(self) -> None:
        """End every process and start no other."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()

    @contextmanager
    def _worker(self, job: JobSpec, errors: IO[str]) -> Iterator[subprocess.Popen[str]]:
        with self._lock:
            if self._stopped:
                raise StoppedError
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
        encoding="utf-8",
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
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }


def _follow(
    process: subprocess.Popen[str], job: JobSpec, watcher: Watcher
) -> dict[str, Any] | None:
    """Hand on what a process says; gives its result."""
    handlers: dict[str, Callable[[dict[str, Any]], None]] = {
        "stage": lambda event: watcher.stage(job, event["name"], event["total"]),
        "advance": lambda event: watcher.advances(job, event["done"], event["loss"]),
    }
    result = None
    for line in process.stdout or ():
        if not line.endswith("\n"):
            break  # cut short: the process was ended while it wrote
        event = json.loads(line)
        if event["event"] == "result":
            result = event["result"]
        else:
            handlers[event["event"]](event)
    process.wait()
    return result  # whatever became of the process after it: a record is on disk


def why(status: int, errors: str) -> str:
    """What a process died of, in one line."""
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
