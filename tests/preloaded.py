"""Commands, and the processes that they start, as copies of one that has imported their libraries.

To import torch and all that stands on it takes a process seconds, and a command starts three or
four. Here they are the same processes, with the same streams, groups, pipes and supervisors; but
each begins as a fork of one that has imported everything and computed nothing. That a process
that begins empty does the same is held by the tests that call `TinyBenchmark.start`, and by the
runs of `finished_tiny`, with whose numbers those of copies are compared.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import psutil

from harness.cli import main
from harness.run.execute import child, supervisor

ROOT = Path(__file__).resolve().parents[1]
SERVE = "from tests.preloaded import serve; serve()"

LIBRARIES = (
    "torch._dynamo", "adapters.losses", "adapters.wespeaker", "harness.cli.app",
    "harness.board.publishing.published_tables", "harness.board.writing.console",
    "harness.board.writing.json_document", "harness.registry.audit", "harness.run.execute.worker",
    "harness.run.job.audit_stage", "harness.run.job.evaluate_stage", "harness.run.job.stages",
    "harness.run.job.train_stage", "harness.run.plan.worker", "harness.run.session",
)  # fmt: skip


class Forked:
    """A process like that of `subprocess.Popen`, for a command line `python -P -m MODULE ...`."""

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
        nowhere = os.open(os.devnull, os.O_RDONLY)
        module = command[3]

        def run() -> None:
            atexit._clear()  # what the caller wants done at its end
            sys.path[:] = [folder for folder in sys.path if folder]
            sys.argv = ["-m", *command[4:]]
            importlib.import_module(module).main()

        streams = (nowhere if stdin == subprocess.DEVNULL else stdin, stdout, stderr)
        self.pid = fork(run, streams, pass_fds, env or os.environ)
        os.close(nowhere)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


FORKING = SimpleNamespace(Popen=Forked, DEVNULL=subprocess.DEVNULL)


def fork(
    act: Callable[[], object],
    streams: tuple[int, int, int],
    kept: Sequence[int],
    environment: Mapping[str, str],
) -> int:
    """Start a copy of this process, as the leader of a group, that acts and ends; gives its id."""
    environment = dict(environment)
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        _become_a_process(streams, kept, environment)
        act()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - the interpreter ends so, and the copy ends here
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def _become_a_process(
    streams: tuple[int, int, int], kept: Sequence[int], environment: Mapping[str, str]
) -> None:
    """Drop what a process that is started does not inherit."""
    gc.freeze()  # nothing of the caller's is tidied up here: its descriptors are others by now
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    for each in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    first = len(streams)
    for last in (*sorted(kept), os.sysconf("SC_OPEN_MAX")):
        os.closerange(first, last)
        first = last + 1
    os.environ.clear()
    os.environ |= environment
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, closefd=False, errors="backslashreplace")


def serve() -> None:
    """Run the commands that are asked for, one after the other."""
    for name in LIBRARIES:
        importlib.import_module(name)
    paths = [folder for folder in sys.path if folder]
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)

        def run(asked: dict[str, list[str]] = asked) -> None:
            child.subprocess = supervisor.subprocess = FORKING  # type: ignore[assignment]
            sys.path[:] = ["", *paths]
            sys.argv = ["-c", *asked["words"]]
            main()

        os.chdir(asked["folder"])
        names = (os.devnull, asked["out"], asked["err"])
        streams = [os.open(name, os.O_RDWR) for name in names]
        process = fork(run, (streams[0], streams[1], streams[2]), (), asked["environment"])
        for stream in streams:
            os.close(stream)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
        sys.stdout.flush()


@cache
def _server() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # a copy has no threads but the one that forks
    )  # fmt: skip
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    for each in psutil.Process(process.pid).children(recursive=True):
        each.kill()
    process.kill()
    process.wait()


def run_preloaded(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], patience: float
) -> tuple[int, str, str]:
    """Run a command in a folder: its exit status, and what it wrote to its two streams."""
    server = _server()
    assert server.stdin
    assert server.stdout
    with tempfile.TemporaryDirectory() as place:
        out, err = (Path(place) / name for name in ("out", "err"))
        for path in (out, err):
            path.touch()
        asked = {"words": words, "folder": str(folder), "environment": dict(environment),
                 "out": str(out), "err": str(err)}  # fmt: skip
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        answered, _, _ = select.select([server.stdout], [], [], patience)
        if not answered:
            _end(server)
            _server.cache_clear()
            raise TimeoutError(f"{words} did not end: {err.read_text()}")
        return int(server.stdout.readline()), out.read_text(), err.read_text()
