"""What executors on other machines share: an engine has only to start, watch and end a process.

The process runs `harness.run.execute.node`, so progress, limits and reasons of failure are those of
the local executor. The engine needs a folder that it shares with this machine: that of the runs.
"""

from __future__ import annotations

import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep
from typing import Any, ClassVar

from harness.config.trust import TRUSTED
from harness.datasets.corpus_folders import ROOT_VARIABLE
from harness.errors import RequestError, printable
from harness.measure.device import Device
from harness.measure.environment import ALLOCATOR_VARIABLES
from harness.records.redaction import is_secret
from harness.run.events import Watch
from harness.run.execute.exchange import Exchange, NodeRequest, open_exchange
from harness.run.execute.executor import Answer, StoppedError
from harness.run.execute.job_clock import JobClock
from harness.run.job.spec import JobSpec

PASSED = (ROOT_VARIABLE, TRUSTED, "PYTHONPATH", *ALLOCATOR_VARIABLES)
"""Variables that a node takes over from its caller, besides those that a table names."""

NODE = "harness.run.execute.node"

BEAT = 5.0
"""Seconds between two signs of life of the caller."""

PATIENCE = 5.0
"""Seconds between an answer and the end of its process, whichever is seen first."""

GRACE = 120.0
"""Seconds beyond a job's time limit in which its node answers; after them the engine ends it."""


@dataclass(frozen=True)
class RemoteJob:
    """A job as an engine gets it.

    Attributes:
        spec: the job.
        slot: its slot, as `Executor.slots` names it.
        folder: of its files on the shared disk; the engine may write logs into it.
    """

    spec: JobSpec
    slot: str
    folder: Path

    @property
    def command(self) -> list[str]:
        """The command that runs it, in any folder of a node that has the same Python."""
        return [sys.executable, "-P", "-m", NODE, str(self.folder)]


@dataclass
class RemoteExecutor(ABC):
    """An executor whose jobs run on other machines; its fields are the keys of its table.

    Attributes:
        device: the device that jobs were planned for.
        workers: jobs that are submitted at a time.
        environment: names of further variables that the nodes take over.
        orphan_seconds: after which a job ends whose caller is gone, however it went.
    """

    device: Device
    workers: int
    environment: tuple[str, ...] = ()
    orphan_seconds: float = 300.0

    poll: ClassVar[float] = 0.25
    """Seconds between two looks at the files of a job."""

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            RequestError: a secret is to be passed on.
        """
        self._stopping = threading.Event()
        for name in filter(is_secret, self.environment):
            raise RequestError(
                f"executors: environment: {name} looks like a secret, and would be written to the "
                "shared folder; set it on the nodes"
            )

    @property
    def slots(self) -> tuple[str, ...]:
        """A slot for each submitted job, with a device of its own."""
        if self.device != "cuda":
            return ("cpu",) * self.workers
        return tuple(f"cuda:{number}" for number in range(self.workers))

    @abstractmethod
    def start(self, job: RemoteJob) -> Any:
        """Start the process of a job, or have it wait for a place; return the engine's handle.

        Raises:
            RequestError: the engine does not take it.
        """

    @abstractmethod
    def ended(self, handle: Any) -> Answer | None:
        """Return why a process ended; None while it runs or waits.

        A job that wrote its answer to the shared folder is answered by that, whatever this says.
        """

    @abstractmethod
    def end(self, handle: Any) -> None:
        """End a process, if it has not ended, and forget it."""

    def ask(self, job: JobSpec, slot: str, watch: Watch) -> Answer:
        """Run a job; see `Executor.ask`."""
        if self._stopping.is_set():
            raise StoppedError
        exchange = open_exchange(
            NodeRequest(
                job=job,
                folder=Path.cwd(),
                environment=self._variables,
                orphan_seconds=self.orphan_seconds,
            )
        )
        try:
            handle = self.start(RemoteJob(job, slot, exchange.folder))
            try:
                answer = self._follow(handle, exchange, job, watch)
            finally:
                self.end(handle)
        finally:
            exchange.close()
        return answer

    def stop(self) -> None:
        """End every job and start no other."""
        self._stopping.set()

    @property
    def _variables(self) -> dict[str, str]:
        return {
            name: os.environ[name] for name in (*PASSED, *self.environment) if name in os.environ
        }

    def _follow(self, handle: Any, exchange: Exchange, job: JobSpec, watch: Watch) -> Answer:
        """Pass a job's events on until it has an answer, or its process has ended."""
        clock, over, beat = None, 0.0, monotonic()
        while not self._stopping.wait(self.poll):
            for event in exchange.events():
                # A job waits in a queue for as long as it takes; its time begins on its node.
                clock = clock or JobClock(job.limits, is_quiet=True)
                clock.hear(event)
                watch(replace(event, job=job))
            if (answer := exchange.answer()) is not None:
                self._until(lambda: self.ended(handle) is not None)
                return answer
            if (ended := self.ended(handle)) is not None:
                self._until(lambda: exchange.answer() is not None)
                clean = replace(ended, why=printable(ended.why), errors=printable(ended.errors))
                return exchange.answer() or clean
            if clock is not None and clock.is_job_over:
                over = over or monotonic()
                if monotonic() - over > GRACE:
                    return Answer(None, clock.told, "", "timeout")
            if monotonic() - beat > BEAT:
                beat = monotonic()
                exchange.beat()
        raise StoppedError

    def _until(self, is_over: Callable[[], bool]) -> None:
        """Wait a little: a process and its answer come to an end one after the other."""
        deadline = monotonic() + PATIENCE
        while not is_over() and monotonic() < deadline:
            sleep(self.poll)


def import_engine(module: str, extra: str) -> Any:
    """Import the library of an engine.

    Raises:
        RequestError: it is not installed; the message names the extra.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise RequestError(
            f"--executor {extra}: {error.name} is not installed: pip install 'trialboard[{extra}]'"
        ) from error
