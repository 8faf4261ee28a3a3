"""The processes that jobs run in, and what they say."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from harness.measure.environment import ALLOCATOR_ENVIRONMENT
from harness.run.execute.channel import ProtocolError
from harness.run.execute.child import Child
from harness.run.job.spec import JobSpec

SPIN_COUNT = "2000"
"""How long OpenMP's threads spin before they sleep.

By its default they spin for milliseconds, which costs a step up to ten times its time when
another program wants a core; with this they are as fast on an idle machine.
"""

NO_MESSAGE = "its process wrote bytes to the harness's channel that are no message"


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
        why: why there is no result.
        errors: the end of what it printed.
    """

    result: dict[str, Any] | None
    why: str
    errors: str


class Crew:
    """The worker processes of a call."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._lock = threading.Lock()
        self._running: set[Child] = set()
        self._stopped = False

    def ask(self, job: JobSpec) -> Answer:
        """Run what a job asks for in a process of its own.

        Raises:
            StoppedError: the caller stopped meanwhile.
        """
        with self._worker(job) as child:
            child.send(job.model_dump_json())
            answer = _answer(child, job, self._watcher)
        if answer.result is None and self._stopped:
            raise StoppedError
        return answer

    def stop(self) -> None:
        """End every process and start no other."""
        with self._lock:
            self._stopped = True
            for child in self._running:
                child.kill()

    @contextmanager
    def _worker(self, job: JobSpec) -> Iterator[Child]:
        with self._lock:
            if self._stopped:
                raise StoppedError
            child = Child("harness.run.execute.worker", worker_environment(job.threads))
            self._running.add(child)
        try:
            yield child
        finally:
            with self._lock:
                self._running.discard(child)
            child.finish(0)


def worker_environment(threads: int) -> dict[str, str]:
    """The environment of a process that computes with so many threads."""
    counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {
        **os.environ,
        **ALLOCATOR_ENVIRONMENT,
        **counts,
        "GOMP_SPINCOUNT": SPIN_COUNT,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }


def _answer(child: Child, job: JobSpec, watcher: Watcher) -> Answer:
    """Hand on what a process says, to its end."""
    try:
        last = _follow(child, job, watcher)
    except ProtocolError:
        child.kill()
        child.finish()
        return Answer(None, NO_MESSAGE, child.printed)
    status = child.finish()
    # Whatever became of a process after its result: a record is on disk.
    result = last["result"] if last and last["event"] == "result" else None
    raised = last["why"] if last and last["event"] == "raised" else ""
    return Answer(result, raised or why(status, child.printed), child.printed)


def _follow(child: Child, job: JobSpec, watcher: Watcher) -> dict[str, Any] | None:
    """Hand on progress; gives the last message, a result or why there is none."""
    handlers: dict[str, Callable[[dict[str, Any]], None]] = {
        "stage": lambda event: watcher.stage(job, event["name"], event["total"]),
        "advance": lambda event: watcher.advances(job, event["done"], event["loss"]),
    }
    while (message := child.receive()) is not None:
        if message["event"] not in handlers:
            return message
        handlers[message["event"]](message)
    return None


def why(status: int | None, errors: str) -> str:
    """What a process died of, in one line.

    Args:
        status: its exit status; None where it went on without its channel.
        errors: what it printed.
    """
    if status is None:
        return "its process closed the channel to the harness and went on"
    if status < 0:
        name = next((each.name for each in signal.Signals if each == -status), f"signal {-status}")
        told = ", by somebody or by the system for lack of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{told}"
    if status == 0:
        return "its process ended with status 0, before it had a result"
    return _raised(errors) or f"its process ended with status {status}"


def _raised(errors: str) -> str:
    """The exception that a program died of, as its last traceback names it; else the last line."""
    _, traceback, told = errors.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in told.splitlines() if line.strip()]
    named = [line for line in lines if not line[0].isspace()]
    return (named[0] if traceback and named else "".join(lines[-1:])).strip()[:500]
