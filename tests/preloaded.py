"""Commands, and the processes that they start, as copies of one that has imported their libraries.

To import torch and all that stands on it takes a process seconds, and a command starts three or
four. Here they are the same processes, with the same streams, groups, pipes and supervisors; but
each begins as a fork of one that has imported everything and computed nothing, and what a job
costs is measured by fewer repeats. That a process that begins empty does the same is held by the
tests that call `TinyBenchmark.start`, and by the run that `finished_tiny` copies, with whose
numbers those of these copies are compared.

Workers that the harness starts in a test's own process begin so too, where the test asks for the
fixture `preloaded_workers`. They are no copies of that process: its threads do not survive a fork,
and it holds what other tests have imported and computed.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import os
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from harness.cli import main
from harness.measure import timing
from harness.run.execute import child, subprocesses, supervisor
from harness.run.execute.fork_server import ForkedSupervisor, adoption
from harness.run.execute.forking import fork
from tests.forked import FORKING, Forked, NoServer

ROOT = Path(__file__).resolve().parents[1]
SERVE = "import sys; from tests.preloaded import serve; serve(int(sys.argv[1]))"
CHUNK = 2**16

HIGH = 512
"""Descriptors from here on are none that a worker is given."""

PATIENCE = 240.0
"""Seconds in which a worker starts; nothing is measured with it."""

LIBRARIES = (
    "torch._dynamo", "adapters.losses", "adapters.wespeaker", "harness.cli.app",
    "harness.board.publishing.local_records", "harness.board.writing.console",
    "harness.board.writing.json_document", "harness.registry.audit", "harness.run.execute.worker",
    "harness.run.job.audit_stage", "harness.run.job.evaluate_stage", "harness.run.job.stages",
    "harness.run.job.train_stage", "harness.run.plan.worker", "harness.run.session",
)  # fmt: skip

COMMAND = """
import json, os, socket, sys
asked = {"words": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ)}
with socket.socket(socket.AF_UNIX) as channel:
    channel.connect(sys.argv[1])
    socket.send_fds(channel, [json.dumps(asked).encode() + b"\\n"], [0, 1, 2])
    sys.exit(int(channel.recv(16)))
"""
"""Has a command run on its own streams; imports next to nothing."""


def serve(listener: int) -> None:
    """Run commands and start workers, as they are asked for, one after the other."""
    for name in LIBRARIES:
        importlib.import_module(name)
    benchmark_target = importlib.import_module("harness.run.job.benchmark_target")
    # Costs have their figures after few repeats, with few items: nobody compares them.
    timing.ON_PROCESSOR, benchmark_target.ON_PROCESSOR = timing.REPEATS, 8
    paths = [folder for folder in sys.path if folder]
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=listener) as asking:
        # Standard input ends with whoever started this process.
        while sys.stdin not in select.select([sys.stdin, asking], [], [])[0]:
            channel, _ = asking.accept()
            with channel, suppress(BrokenPipeError):
                channel.sendall(str(_do(*_receive(channel), paths)).encode())


def _receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Receive what is asked, and the descriptors that come with it."""
    text, given, _, _ = socket.recv_fds(channel, CHUNK, HIGH)
    while not text.endswith(b"\n"):
        text += channel.recv(CHUNK)
    return json.loads(text), given


def _do(asked: dict[str, Any], given: list[int], paths: list[str]) -> int:
    """Run a command, and give its exit status; or start a worker, and give its process."""
    try:
        return _start(asked, given) if "kept" in asked else _run(asked, given, paths)
    finally:
        for each in given:
            os.close(each)


def _run(asked: dict[str, Any], given: list[int], paths: list[str]) -> int:
    """Run a command; give its exit status, or its process where nobody waits for its end."""

    def run() -> None:
        child.subprocess = supervisor.subprocess = FORKING  # type: ignore[assignment]
        subprocesses.ForkServer = NoServer  # type: ignore[assignment,misc]
        os.chdir(asked["folder"])
        sys.path[:] = ["", *paths]
        sys.argv = ["-c", *asked["words"]]
        main()

    process = fork(run, (given[0], given[1], given[2]), (), asked["environment"])
    if asked.get("is_left"):
        return process
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _start(asked: dict[str, Any], given: list[int]) -> int:
    """Start a worker below a process that ends at once; whoever asks adopts the orphan."""
    mine, theirs = os.pipe()
    between = os.fork()
    if not between:
        try:
            high = [fcntl.fcntl(each, fcntl.F_DUPFD, HIGH) for each in (*given, theirs)]
            for each, number in zip(high[3:-1], asked["kept"], strict=True):
                os.dup2(each, number)  # the numbers stand in its command line
            os.chdir(asked["folder"])
            supervisor.subprocess = FORKING  # type: ignore[assignment]
            worker = Forked(
                asked["words"], stdin=high[0], stdout=high[1], stderr=high[2],
                pass_fds=asked["kept"], process_group=0, env=asked["environment"],
            )  # fmt: skip
            os.write(high[-1], str(worker.pid).encode())
        except BaseException:  # noqa: BLE001 - told, and then there is no answer
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(mine) as told:
        os.waitpid(between, 0)
        return int(told.read())


class Server:
    """The process that others are copies of.

    Attributes:
        place: its socket.
    """

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="harness-")) / "asked"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.place))
            listener.listen()
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(listener.fileno())],
                stdin=subprocess.PIPE, pass_fds=(listener.fileno(),), cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},  # a copy has but the thread that forks
            )  # fmt: skip

    def ask(self, asked: Mapping[str, Any], given: Sequence[int], patience: float) -> int:
        """Have something done with some descriptors, the first three as its streams."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(patience)
            channel.connect(str(self.place))
            socket.send_fds(channel, [json.dumps(asked).encode() + b"\n"], given)
            return int(channel.recv(CHUNK))

    def end(self) -> None:
        """End it with all that it runs."""
        atexit.unregister(self.end)
        for each in psutil.Process(self._process.pid).children(recursive=True):
            each.kill()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.place.parent)


@cache
def _server() -> Server:
    server = Server()
    atexit.register(server.end)
    return server


def run_preloaded(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], patience: float
) -> tuple[int, str, str]:
    """Run a command in a folder: its exit status, and what it wrote to its two streams."""
    asked = {"words": words, "folder": str(folder), "environment": dict(environment)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            with open(os.devnull) as nothing:
                streams = [each.fileno() for each in (nothing, out, err)]
                status = _server().ask(asked, streams, patience)
        except TimeoutError:
            _server().end()
            _server.cache_clear()
            raise TimeoutError(f"{words} did not end: {_written(err)}") from None
        return status, _written(out), _written(err)


def start_preloaded(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
) -> int:
    """Start a command in a folder, whose messages go to a file; gives its process."""
    asked = {"words": words, "folder": str(folder), "environment": dict(environment)}
    with open(os.devnull) as nothing, log.open("ab") as err:
        streams = [each.fileno() for each in (nothing, err, err)]
        return _server().ask({**asked, "is_left": True}, streams, PATIENCE)


def _written(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


def preloaded_command(folder: Path) -> Path:
    """Write a program that is the command, for scripts that call it."""
    path = folder / "preloaded"
    words = [sys.executable, "-IS", "-c", COMMAND, str(_server().place)]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    path.chmod(0o755)
    return path


class Lent(Forked):
    """A worker that the server starts, and that is a child of this process all the same."""

    adopting = threading.Lock()

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int,
        pass_fds: Sequence[int],
        process_group: int,
        stdout: int = 1,
        stderr: int = 2,
        env: Mapping[str, str] | None = None,
    ) -> None:
        asked = {"words": list(command), "folder": str(Path.cwd()), "kept": list(pass_fds),
                 "environment": dict(env or os.environ)}  # fmt: skip
        with self.adopting, adoption():
            started = _server().ask(asked, (stdin, stdout, stderr, *pass_fds), PATIENCE)
        ForkedSupervisor.__init__(self, started)


def lend_workers(patch: pytest.MonkeyPatch) -> None:
    """Let workers of this process be copies of the server, where the system knows adoption."""
    if sys.platform == "linux":
        _server()  # before several threads ask it
        patch.setattr(child, "subprocess", SimpleNamespace(Popen=Lent))
        patch.setattr(subprocesses, "ForkServer", NoServer)
