"""Processes that begin as copies of this one, which has imported their modules already."""

from __future__ import annotations

import atexit
import importlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

from harness.run.execute.fork_server import ForkedSupervisor
from harness.run.execute.forking import fork


class Forked(ForkedSupervisor):
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
        super().__init__(fork(run, streams, pass_fds, env or os.environ))
        os.close(nowhere)


FORKING = SimpleNamespace(Popen=Forked, DEVNULL=subprocess.DEVNULL)


class NoServer:
    """Forks no worker: each begins as `child.subprocess.Popen` starts it."""

    def __init__(self, mark: str) -> None: ...

    def start(self, *_: object) -> None:
        return None

    def close(self) -> None: ...
