"""Run adapters' code in worker processes that are kept while a call is planned.

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
from harness.adapter import Input
from harness.config.tables import Component
from harness.errors import HarnessError, JobFailed
from harness.records import record
from harness.records.documents import canonical_json
from harness.run.execute.child import Child, TimeIsUp
from harness.run.execute.messages import ProtocolError
from harness.run.execute.subprocesses import NO_MESSAGE, why, worker_environment
from harness.run.job.limits import SILENCE_MINUTES
from harness.run.plan.questions import AskInput, DeclaredInput, Describe, Description, Question

T = TypeVar("T", bound=BaseModel)

PATIENCE = 10.0
"""Minutes that an answer may take; one is a matter of seconds, of a minute for large networks."""


class AdapterFailed(JobFailed):
    """Foreign code ended, crashed or confused the process that it ran in."""


class WorkerKilled(AdapterFailed):
    """The process was killed: by a system that has no memory left, or by somebody."""


class WorkerHung(WorkerKilled):
    """The process was killed here, since it gave no sign."""


@dataclass
class _Worker:
    """A process, and the adapters whose code it has run."""

    child: Child
    ran: set[str]


class AdapterWorkers:
    """Worker processes for adapters' code; any thread may ask.

    Attributes:
        minutes: that an answer may take, `PATIENCE` at most; set by the call that is planned.
    """

    minutes = SILENCE_MINUTES

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._known: dict[str, BaseModel | JobFailed] = {}
        self._guilty: set[str] = set()

    def recall(self, question: Question[T]) -> T:
        """Return the answer since the last `close`, or ask: entries share adapters.

        Raises:
            ConfigError, JobFailed: as `ask` does.
        """
        key = _serialize(question)
        if key not in self._known:
            self._known[key] = self.ask(question)
        return cast(T, self._known_answer(key))

    def ask(self, question: Question[T]) -> T:
        """Ask a free process, else a new one.

        A question that failed fails again until the next `close`, with nothing run. If other
        adapters have run in the process that fails, or it was killed, for which its code need not
        be to blame, the question is asked once more in a fresh one.

        Raises:
            ConfigError: the adapter's table is wrong, or what else a question raises.
            JobFailed: the adapter's code failed; the message says at what.
        """
        key = _serialize(question)
        if isinstance(self._known.get(key), JobFailed):
            self._known_answer(key)
        worker = self._take()
        is_blamed = worker.ran <= question.adapters or question.adapters & self._guilty
        try:
            try:
                return self._ask(worker, question)
            except AdapterFailed as error:
                is_hung = isinstance(error, WorkerHung)
                if is_blamed and (is_hung or not isinstance(error, WorkerKilled)):
                    raise
            return self._ask(self._take(fresh=True), question)
        except JobFailed as error:
            if isinstance(error, AdapterFailed):
                self._guilty |= question.adapters
            self._known[key] = error
            raise

    def _known_answer(self, key: str) -> BaseModel:
        known = self._known[key]
        if isinstance(known, JobFailed):
            raise known
        return known

    def close(self) -> None:
        """Kill every process and forget all answers; a question that is being answered fails."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._known.clear()
            self._guilty.clear()
            for worker in self._busy:
                worker.child.kill()
        for worker in idle:
            worker.child.finish(0)

    def _take(self, *, fresh: bool = False) -> _Worker:
        with self._lock:
            if self._idle and not fresh:
                worker = self._idle.pop()
            else:
                worker = _Worker(Child("harness.run.plan.worker", worker_environment(1)), set())
            self._busy.append(worker)
        return worker

    def _ask(self, worker: _Worker, question: Question[T]) -> T:
        alive = False
        try:
            worker.ran |= question.adapters
            message = _exchange(worker.child, question, min(self.minutes, PATIENCE))
            alive = True
        finally:
            with self._lock:
                self._busy.remove(worker)
                if alive:
                    self._idle.append(worker)
            if not alive:
                worker.child.finish(0)
        if message["event"] == "refused":
            kind: type[HarnessError] = getattr(errors, message["error"], JobFailed)
            raise kind(message["why"])
        answer: T = question.answers.model_validate(message["answer"])
        return answer


def _exchange(child: Child, question: Question[Any], minutes: float) -> dict[str, Any]:
    """Send a question and wait for its answer.

    Args:
        child: it is asked.
        question: the question.
        minutes: that each of its messages may take.

    Raises:
        AdapterFailed: there is none.
    """
    child.forget_output()
    child.send(_serialize(question))
    doing = ""
    try:
        while (message := child.receive(60 * minutes)) is not None:
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
    except TimeIsUp as error:
        child.kill()
        told = f"no answer for {minutes:g} minutes (--silence-minutes, {PATIENCE:g} at most)"
        raise WorkerHung(f"{doing}: {told}") from error
    status = child.finish()
    kind = WorkerKilled if status == -9 else AdapterFailed
    raise kind(f"{doing}: {why(status, child.output)}")


def _serialize(question: Question[Any]) -> str:
    kind = type(question)
    asked = TypeAdapter(kind).dump_python(question, mode="json")
    name = f"{kind.__module__}:{kind.__qualname__}"
    return json.dumps({"question": name, "asked": asked, "path": sys.path})


WORKERS = AdapterWorkers()
"""The workers of this process; a call that goes on to run jobs closes them first."""

atexit.register(WORKERS.close)


@dataclass(frozen=True)
class AdapterFacts:
    """An adapter of the benchmark, or the reason why it cannot be described.

    Attributes:
        component: as a record holds it; by its table alone, and version 0, if its code failed.
        description: None if its code failed.
        failed: the reason.
    """

    component: record.RecordedComponent
    description: Description | None
    failed: str = ""


def adapter_facts(section: str, name: str, table: Component) -> AdapterFacts:
    """Describe an adapter of the benchmark, whether or not its code works.

    Args:
        section: `models` or `losses`.
        name: its name there.
        table: its table there.

    Raises:
        ConfigError: it cannot be built from its table.
    """
    try:
        found = describe(table, f"{section}.{name}", is_loss=section == "losses")
    except JobFailed as error:
        given = json.loads(canonical_json(json.loads(json.dumps(table.fields, default=str))))
        unknown = record.RecordedComponent(
            name=name, adapter=table.adapter, version=0, fields=given
        )
        return AdapterFacts(unknown, None, str(error))
    component = record.RecordedComponent(
        name=name, adapter=table.adapter, version=found.version, fields=found.fields
    )
    return AdapterFacts(component, found)


def describe(table: Component, where: str, *, is_loss: bool = False) -> Description:
    """Ask an adapter's code for its fields, version, needs and schedules, once a call.

    Raises:
        ConfigError: it cannot be built from its table.
        JobFailed: its code failed.
    """
    return WORKERS.recall(Describe(table.adapter, table.fields, where, is_loss))


def ask_input(table: Component, where: str) -> DeclaredInput:
    """Ask a model's code for its input, once a call.

    Raises:
        ConfigError: it cannot be built from its table.
        JobFailed: its code failed.
    """
    return WORKERS.recall(AskInput(table.adapter, table.fields, where))


def model_input(name: str, table: Component) -> Input | None:
    """Return the input of a model; None if its code fails, which its job then says in its row.

    Args:
        name: the model.
        table: its table in the benchmark file.
    """
    try:
        return ask_input(table, f"models.{name}").input
    except HarnessError:
        return None
