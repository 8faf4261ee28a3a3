"""The process that runs one job on another machine: `python -m harness.run.execute.node FOLDER`.

It runs the job as the local executor does: a worker below a supervisor, with the job's limits.
What the caller sees is the same, whichever engine started this process.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

from harness.measure.environment import environment
from harness.records.record import Environment
from harness.records.redaction import without_secrets
from harness.run.events import ProgressEvent
from harness.run.execute.exchange import Exchange
from harness.run.execute.executor import Answer, StoppedError
from harness.run.execute.subprocesses import LocalExecutor, worker_environment
from harness.run.job.spec import JobSpec

OFTEN = 0.5
"""Seconds between two counts of finished units: a step may take milliseconds."""

CGROUPS = Path("/sys/fs/cgroup")

DESCRIBE = """
import os, sys
from harness.measure.environment import environment
print(environment(sys.argv[1], int(sys.argv[2])).model_dump_json())
"""


def run(folder: Path) -> None:
    """Run the job of an exchange until it has an answer, or its caller is gone."""
    exchange = Exchange(folder)
    asked = exchange.request
    job = asked.job
    os.environ.update(asked.environment)
    os.chdir(asked.folder)
    exchange.tell(ProgressEvent("message", f"{job.title}: runs on {platform.node()}"))
    executor = LocalExecutor(job.device, 1, forks=False)
    limits = (exchange, asked.orphan_seconds, executor)
    threading.Thread(target=_end_without_caller, args=limits, daemon=True).start()
    kills = memory_kills()
    try:
        if told := _unlike(job):
            answer = Answer(None, told, "")
        else:
            answer = executor.ask(job, executor.slots[0], _Sender(exchange).receive)
    except StoppedError:
        return
    except OSError as error:
        answer = Answer(None, f"its process could not be started: {error}", "")
    if answer.result is None and "SIGKILL" in answer.why and memory_kills() > kills:
        told = "ended by the system: it took more memory than its node or container gives it"
        answer = replace(answer, why=told, state="oom")
    exchange.give(
        replace(answer, why=without_secrets(answer.why), errors=without_secrets(answer.errors))
    )


def memory_kills(groups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Return how many processes of this control group the system killed for lack of memory.

    0 where it does not say, as outside Linux.

    Args:
        groups: where the groups are mounted.
        own: names the groups of this process.
    """
    if not own.exists():
        return 0
    places = [line.split(":", 2)[1:] for line in own.read_text().splitlines()]
    paths = [groups / place.lstrip("/") / "memory.events" for kind, place in places if not kind]
    for kind, place in places:
        if kind == "memory":  # version 1; in a container the mount is its own group
            mounted = (groups / kind / place.lstrip("/"), groups / kind)
            paths += [group / "memory.oom_control" for group in mounted]
    for path in paths:
        if path.exists():
            counts = dict(line.split() for line in path.read_text().splitlines())
            return int(counts.get("oom_kill", 0))
    return 0


class _Sender:
    """Sends a job's events, but not each finished unit."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._told, self._total = exchange, 0.0, 0

    def receive(self, event: ProgressEvent) -> None:
        if event.kind == "stage":
            self._total = event.total
        elif event.kind == "advance" and event.done != self._total:
            if monotonic() - self._told < OFTEN:
                return
            self._told = monotonic()
        self._exchange.tell(event)


def _end_without_caller(exchange: Exchange, seconds: float, executor: LocalExecutor) -> None:
    """End the job once its caller has given no sign for some seconds.

    Only changes count: the clocks of two machines are never compared.
    """
    last, seen = exchange.last_beat(), monotonic()
    while last is not None and monotonic() - seen < seconds:
        sleep(min(5.0, seconds / 4))
        beat = exchange.last_beat()
        if beat != last:
            last, seen = beat, monotonic()
    executor.stop()


def _unlike(job: JobSpec) -> str:
    """Return how this node differs from the machine that the job was planned on; "" if it is alike.

    A record names the environment that its costs were measured in, and planning wrote it there.
    """
    planned = job.environment
    if planned is None:
        return ""
    settings = worker_environment(job.threads)
    if job.device == "cpu":
        here = environment("cpu", job.threads, settings)
    else:  # in a process of its own: whoever asks a GPU for its name takes memory of it
        command = [sys.executable, "-P", "-c", DESCRIBE, job.device, str(job.threads)]
        told = subprocess.run(command, env=settings, stdout=subprocess.PIPE, check=False).stdout
        if not told:
            return f"{platform.node()}: its {job.device} device cannot be used"
        here = Environment.model_validate_json(told)
    differs = [
        f"{name}: {getattr(here, name)} is not {value}"
        for name, value in planned
        if getattr(here, name) != value
    ]
    if not differs:
        return ""
    return (
        f"{platform.node()} is not like the machine that planned the job ({'; '.join(differs)}); "
        "choose nodes that are, or give the command on one of them"
    )


if __name__ == "__main__":
    run(Path(sys.argv[1]))
