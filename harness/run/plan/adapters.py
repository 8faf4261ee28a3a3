"""Adapters' code is asked here and runs elsewhere: in worker processes that planning keeps.

A worker that dies, or writes bytes that are no message, costs the entry that was asked about, and
another one takes its place. Workers start when something is first asked, and are kept until
`close`: each holds torch as soon as it has predicted something.
"""

from __future__ import annotations

import atexit
import json
import sys
import threading
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter

from harness import errors
from harness.errors import HarnessError, JobFailed
from harness.run.execute.channel import ProtocolError
from harness.run.execute.child import Child
from harness.run.execute.process import NO_MESSAGE, why, worker_environment
from harness.run.plan.questions import Question

T = TypeVar("T", bound=BaseModel)


class AdapterFailed(JobFailed):
    """Foreign code ended, crashed or confused the process that it ran in."""


class OutOfMemory(AdapterFailed):
    """That process was killed from outside, as a system does that has no memory left."""


@dataclass
class _Worker:
    """A process, and the adapters whose code it has run."""

    child: Child
    ran: set[str]


class AdapterWorkers:
    """The processes that adapters' code runs in while a call is planned."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._known: dict[str, BaseModel | JobFailed] = {}
        self._guilty: set[str] = set()

    def recall(self, question: Question[T]) -> T:
        """Ask only what was not answered since the last `close`: entries share adapters.

        Raises:
            ConfigError, JobFailed: as `ask` does.
        """
        key = _spelled(question)
        if key not in self._known:
            self._known[key] = self.ask(question)
        known = self._known[key]
        if isinstance(known, JobFailed):
            raise known
        return cast(T, known)

    def ask(self, question: Question[T]) -> T:
        """Ask in a process that is free, else in a new one; any thread may ask.

        What failed fails again, with nothing run, until the next `close`.

        Raises:
            ConfigError: the adapter's table is wrong, or what else a question raises.
            JobFailed: the adapter's code failed; the message says at what.
        """
        key = _spelled(question)
        before = self._known.get(key)
        if isinstance(before, JobFailed):
            raise before
        try:
            return self._asked(question)
        except JobFailed as error:
            self._known[key] = error
            raise

    def _asked(self, question: Question[T]) -> T:
        worker = self._taken()
        blamed = worker.ran <= question.adapters or question.adapters & self._guilty
        try:
            return self._answered(worker, question)
        except AdapterFailed:
            if blamed:
                self._guilty |= question.adapters
                raise
        # Others had run in that process: only in a fresh one is the blame its own.
        try:
            return self._answered(self._taken(fresh=True), question)
        except AdapterFailed:
            self._guilty |= question.adapters
            raise

    def close(self) -> None:
        """End every process; what another thread waits for fails."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._known.clear()
            self._guilty.clear()
            for worker in self._busy:
                worker.child.kill()
        for worker in idle:
            worker.child.finish(0)

    def _taken(self, *, fresh: bool = False) -> _Worker:
        with self._lock:
            if self._idle and not fresh:
                worker = self._idle.pop()
            else:
                worker = _Worker(Child("harness.run.plan.worker", worker_environment(1)), set())
            self._busy.append(worker)
        return worker

    def _answered(self, worker: _Worker, question: Question[T]) -> T:
        alive = False
        try:
            worker.ran |= question.adapters
            message = _exchanged(worker.child, question)
            alive = True
        finally:
            with self._lock:
                self._busy.remove(worker)
                if alive:
                    self._idle.append(worker)
            if not alive:
                worker.child.finish(0)
        if message["event"] == "refused":
            raise _refusal(message["error"], message["why"])
        answer: T = question.answers.model_validate(message["answer"])
        return answer


def _exchanged(child: Child, question: Question[Any]) -> dict[str, Any]:
    """Send a question and wait for its answer.

    Raises:
        AdapterFailed: there is none.
    """
    child.forget_noise()
    child.send(_spelled(question))
    doing = ""
    try:
        while (message := child.receive()) is not None:
            if message["event"] == "doing":
                doing = message["act"]
            elif message["event"] == "raised":
                child.finish()
                raise AdapterFailed(f"{doing}: {message['why']}")
            else:
                return message
    except ProtocolError as error:
        child.kill()
        raise AdapterFailed(f"{doing}: {NO_MESSAGE}") from error
    status = child.finish()
    kind = OutOfMemory if status == -9 else AdapterFailed
    raise kind(f"{doing}: {why(status, child.printed)}")


def _spelled(question: Question[Any]) -> str:
    asked = TypeAdapter(type(question)).dump_python(question, mode="json")
    return json.dumps({"question": type(question).__name__, "asked": asked, "path": sys.path})


def _refusal(name: str, text: str) -> HarnessError:
    """An error as the worker raised it."""
    kind = getattr(errors, name, JobFailed)
    error: HarnessError = kind(text)
    return error


WORKERS = AdapterWorkers()
"""Those of this process; a call that goes on to run jobs closes them first."""

atexit.register(WORKERS.close)
