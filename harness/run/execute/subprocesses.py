"""The local executor: each job in a subprocess of this machine."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import Any

from harness.measure.device import Device
from harness.measure.environment import ALLOCATOR_ENVIRONMENT
from harness.measure.rounding import WORKSPACE
from harness.run.events import ProgressEvent, Watch
from harness.run.execute.child import MARK, Child, TimeIsUp
from harness.run.execute.executor import Answer, StoppedError
from harness.run.execute.fork_server import ForkServer
from harness.run.execute.job_clock import JobClock
from harness.run.execute.messages import ProtocolError
from harness.run.job.results import find_result
from harness.run.job.spec import JobSpec

SPIN_COUNT = "2000"
"""Iterations that OpenMP's threads spin before they sleep.

By its default they spin for milliseconds, which costs a step up to ten times its time when
another program wants a core; with this they are as fast on an idle machine.
"""

NO_MESSAGE = "its process wrote bytes to the harness's channel that are no message"
CARDS = "CUDA_VISIBLE_DEVICES"


class LocalExecutor:
    """Runs each job in a worker process of its own.

    Args:
        device: the device that jobs were planned for.
        workers: jobs at a time; on several equal GPUs they are spread over these.
        forks: start workers as copies of a process that has torch loaded, where they compute on the
            processor: a driver of a GPU does not survive a fork.
    """

    def __init__(self, device: Device, workers: int, *, forks: bool = True) -> None:
        count = _equal_cards() if device == "cuda" and workers > 1 else 1
        names = ("cpu",) if device == "cpu" else tuple(f"cuda:{card}" for card in range(count))
        self.slots = tuple(names[worker % len(names)] for worker in range(workers))
        self._server = ForkServer(MARK) if forks and device == "cpu" else None
        self._lock = threading.Lock()
        self._running: set[Child] = set()
        self._stopped = False

    def ask(self, job: JobSpec, slot: str, watch: Watch) -> Answer:
        """Run a job in a process that sees the slot's device alone; see `Executor.ask`."""
        environment = {**worker_environment(job.threads), **card_of(slot, self.slots)}
        server = None if _begins_empty(job) else self._server
        if self._stopped:
            raise StoppedError
        child = Child("harness.run.execute.worker", environment, server)
        with self._lock:
            self._running.add(child)
            if self._stopped:
                child.kill()
        try:
            child.send(job.model_dump_json())
            answer = _answer(child, job, watch)
        finally:
            with self._lock:
                self._running.discard(child)
            child.finish(0)
        if answer.result is None and self._stopped:
            raise StoppedError
        return answer

    def stop(self) -> None:
        """Kill every process and start no other."""
        with self._lock:
            self._stopped = True
            for child in self._running:
                child.kill()
        if self._server is not None:
            self._server.close()


def _begins_empty(job: JobSpec) -> bool:
    """Return whether a job's process is to import all that it needs by itself.

    A baseline does without torch. Where memory is counted, libraries are a part of it, and a copy
    holds only those of their pages that it reads.
    """
    if job.is_baseline or job.only in ("measure", "time"):
        return True
    measure = job.measure
    return measure is not None and not find_result(job.stage_folder("measure", measure.key))


def _equal_cards() -> int:
    """Return how many visible GPUs are of the first one's kind, for which jobs are planned."""
    import torch

    kinds = [torch.cuda.get_device_properties(card) for card in range(torch.cuda.device_count())]
    alike = [(each.name, each.total_memory) for each in kinds]
    return next((card for card, kind in enumerate(alike) if kind != alike[0]), len(alike))


def card_of(slot: str, slots: tuple[str, ...]) -> dict[str, str]:
    """Return the variable that shows a worker its own GPU; empty if there is no choice."""
    if len(set(slots)) == 1:
        return {}
    number = int(slot.partition(":")[2])
    shown = os.environ.get(CARDS, "")
    return {CARDS: shown.split(",")[number] if shown else str(number)}


def worker_environment(threads: int) -> dict[str, str]:
    """Return the environment of a process that computes with some number of threads."""
    counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {
        **os.environ,
        **ALLOCATOR_ENVIRONMENT,
        **WORKSPACE,
        **counts,
        "GOMP_SPINCOUNT": SPIN_COUNT,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }


def _answer(child: Child, job: JobSpec, watch: Watch) -> Answer:
    """Pass the progress of a process on until it has a result, ends, or has no time left."""
    last: dict[str, Any] = {"event": "none"}
    # The harness's own code is quiet while it computes the baseline, however long that takes.
    clock = JobClock(job.limits, is_quiet=job.is_baseline)
    try:
        while (message := child.receive(clock.left)) is not None:
            if message["event"] != "progress":
                last = message
                break
            event = ProgressEvent(**message["progress"])
            clock.hear(event)
            watch(replace(event, job=job))
            if clock.is_job_over:
                raise TimeIsUp
    except TimeIsUp:
        told = clock.told
        child.kill()
        child.finish()
        return Answer(None, told, child.output, "timeout")
    except ProtocolError:
        child.kill()
        child.finish()
        return Answer(None, NO_MESSAGE, child.output)
    status = child.finish()
    # Whatever becomes of a process after its result: a record is on disk.
    result = last["result"] if last["event"] == "result" else None
    raised = last["why"] if last["event"] == "raised" else ""
    return Answer(result, raised or why(status, child.output), child.output)


def why(status: int | None, errors: str) -> str:
    """Return in one line why a process died.

    Args:
        status: its exit status; None if it went on without its channel.
        errors: the end of what it printed.
    """
    if status is None:
        return "its process closed the channel to the harness and went on"
    if status < 0:
        name = next((each.name for each in signal.Signals if each == -status), f"signal {-status}")
        told = ", by somebody or by the system for lack of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{told}"
    if status == 0:
        return "its process ended with status 0, before it had a result"
    # The exception as the last traceback names it; else the last line.
    _, traceback, told = errors.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in told.splitlines() if line.strip()]
    named = [line for line in lines if not line[0].isspace()]
    found = (named[0] if traceback and named else "".join(lines[-1:])).strip()[:500]
    return found or f"its process ended with status {status}"
