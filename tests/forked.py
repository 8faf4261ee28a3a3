"""Processes that begin as copies of this one, which has imported their modules already."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace


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
