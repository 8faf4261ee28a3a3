"""A process that has torch loaded and forks workers: a tiny job does not wait for imports.

`python -P -m harness.run.execute.fork_server SOCKET MARK MODULE...` imports what every
job needs and runs no adapter's code. For each request it forks a supervisor (see
`harness.run.execute.supervisor`), which forks the worker. The process between them ends at once, so
that the supervisor is adopted by whoever asked, as if that had started it.

Its standard input is a pipe whose other end the caller alone holds: where it ends, the server ends.
Workers go on: each supervisor has such a pipe of its own.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from harness.run.execute.forking import fork, show_variable
from harness.run.execute.supervisor import ADOPT_ORPHANS, end_marked, supervise

LOADED = (
    "harness.run.execute.worker",
    "harness.run.job.stages",
    "harness.run.job.train_stage",
    "harness.run.job.evaluate_stage",
    "harness.tasks.verification",
)
"""What a job imports, but for adapters and what few of them need."""

REQUEST = 2**20
"""Bytes of a request: a whole environment is in it."""

PATIENCE = 300.0
"""Seconds in which a server has imported its libraries and started a supervisor."""

DO_I_ADOPT = 37
"""PR_GET_CHILD_SUBREAPER of Linux's prctl."""

_ADOPTING = threading.Lock()


class ForkedSupervisor:
    """A supervisor that a server has started, as `subprocess.Popen` would show it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def terminate(self) -> None:
        """Ask for its end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end, and return its exit status."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._status

    def _send(self, number: signal.Signals) -> None:
        if self._status is None:  # else its number may be somebody else's by now
            os.kill(self.pid, number)


class ForkServer:
    """The caller's side of a server; any thread may start workers.

    It is begun by the first worker. Where it cannot be had, every worker starts from nothing.

    Args:
        mark: the variable that tells a worker's processes from those of others; its values are all
            of one length.
        loaded: the modules that it imports.
    """

    def __init__(self, mark: str, loaded: Sequence[str] = LOADED) -> None:
        self._mark, self._loaded = mark, loaded
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._environment: dict[str, str] = {}
        self._is_usable = sys.platform == "linux"

    def start(
        self,
        module: str,
        environment: Mapping[str, str],
        streams: tuple[int, int],
        pipes: tuple[int, int],
    ) -> ForkedSupervisor | None:
        """Start a worker below a supervisor.

        Args:
            module: what the worker runs.
            environment: its variables, the mark among them.
            streams: descriptors of the supervisor's standard input, and of all that is printed.
            pipes: descriptors of the worker's requests and messages.

        Returns:
            The supervisor; None if there is no server, or it began with other variables: libraries
            have read them.

        Raises:
            TimeoutError: the server does not answer.
        """
        asked = {"module": module, "environment": dict(environment), "folder": os.getcwd()}
        with _ADOPTING:
            if self._is_usable and self._channel is None:
                self._channel = self._begin(environment)
            if not self._is_usable or self._channel is None or self._unlike(environment):
                return None
            try:
                with adoption():
                    text = json.dumps(asked).encode()
                    socket.send_fds(self._channel, [text], [*streams, *pipes])
                    pid = int(self._channel.recv(16))
                if not _is_child(pid):
                    end_marked(self._mark, environment[self._mark])
                    self._end()
                    return None
            except TimeoutError:
                self._end()
                raise
            except (OSError, ValueError):  # it has died, or could not start anything
                self._end()
                return None
            return ForkedSupervisor(pid)

    def close(self) -> None:
        """End the server; workers go on."""
        self._is_usable = False
        if (process := self._process) is not None:
            process.kill()  # at once: somebody may be waiting for its libraries
        with _ADOPTING:
            self._end()

    def _end(self) -> None:
        self._is_usable = False
        if self._channel is not None and self._process is not None:
            self._channel.close()
            self._process.kill()
            self._process.communicate()
            self._channel = None

    def _unlike(self, environment: Mapping[str, str]) -> bool:
        return {**environment, self._mark: ""} != {**self._environment, self._mark: ""}

    def _begin(self, environment: Mapping[str, str]) -> socket.socket:
        self._environment = dict(environment)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(PATIENCE)
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", __name__),
                    *(str(theirs.fileno()), self._mark, *self._loaded),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # It belongs to no worker, and does not end with the first.
                env={**environment, self._mark: "0" * len(environment[self._mark])},
                process_group=0,
            )
        return ours


def _is_child(pid: int) -> bool:
    """Return whether this process can wait for another one's end: a sandbox may forbid adoption."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


@contextmanager
def adoption() -> Iterator[None]:
    """Let this process adopt orphans of what it has started; one thread at a time."""
    control, before = ctypes.CDLL(None).prctl, ctypes.c_int()
    control(DO_I_ADOPT, ctypes.byref(before), 0, 0, 0)
    control(ADOPT_ORPHANS, 1, 0, 0, 0)
    try:
        yield
    finally:
        control(ADOPT_ORPHANS, before.value, 0, 0, 0)


def main() -> None:
    """Import, then fork for every request until the caller is gone."""
    descriptor, mark, *loaded = sys.argv[1:]
    if not show_variable(mark, os.environ[mark]):  # copies could not be told from each other
        return
    for name in loaded:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(descriptor)) as channel:
        while sys.stdin not in select.select([sys.stdin, channel], [], [])[0]:
            text, given, _, _ = socket.recv_fds(channel, REQUEST, 4)
            if not text:
                return
            channel.sendall(str(_start(json.loads(text), given, mark)).encode())
            for each in given:
                os.close(each)


def _start(asked: Mapping[str, Any], given: Sequence[int], mark: str) -> int:
    """Fork a supervisor below a process that ends at once; return its process id."""
    mine, theirs = os.pipe()
    between = os.fork()
    if not between:
        with suppress(BaseException):  # no answer is one
            os.write(theirs, str(_fork_supervisor(asked, given, mark)).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(mine) as told:
        os.waitpid(between, 0)
        return int(told.read())


def _fork_supervisor(asked: Mapping[str, Any], given: Sequence[int], mark: str) -> int:
    lifeline, prints, *pipes = given
    environment = asked["environment"]

    def run() -> None:
        os.chdir(asked["folder"])
        show_variable(mark, environment[mark])
        supervise(lambda: _fork_worker(asked["module"], pipes, environment), pipes)

    return fork(run, (lifeline, prints, prints), pipes, environment)


def _fork_worker(module: str, pipes: Sequence[int], environment: Mapping[str, str]) -> int:
    def run() -> None:
        sys.argv = [module, *map(str, pipes)]
        importlib.import_module(module).main()

    nowhere = os.open(os.devnull, os.O_RDONLY)
    try:
        return fork(run, (nowhere, 1, 2), pipes, environment)
    finally:
        os.close(nowhere)


if __name__ == "__main__":
    main()
