"""The process between a worker and its caller: it ends all that the worker started.

`python -m harness.run.execute.supervisor MODULE REQUESTS MESSAGES` runs the module as the worker
and ends as it does. Code of others runs in a worker: it may fork, open sessions of its own, ignore
signals and outlive its parent. On Linux this process adopts every orphan below it, so that nothing
gets away from it; elsewhere it ends the worker's group and what still descends from it.

Its standard input is a pipe whose other end the caller alone holds, and never writes to: where it
ends, the caller is gone, however it went. SIGTERM asks for the end of everything.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

ADOPT_ORPHANS = 36
"""PR_SET_CHILD_SUBREAPER of Linux's prctl."""

LEFT_BEHIND = 1.0
"""Seconds that processes which a worker started have to end after it: libraries tidy up."""

ENDING = 5.0
"""Seconds after which a process that takes no SIGKILL (a dead disk holds it) is given up."""

SOON = 0.01


def main() -> NoReturn:
    """Run a worker, end what it leaves behind, and end with its status."""
    module, *pipes = sys.argv[1:]
    supervise(lambda: _start(module, pipes), [int(pipe) for pipe in pipes])


def _start(module: str, pipes: Sequence[str]) -> int:
    """Start a worker from nothing; return its process id."""
    return subprocess.Popen(
        # -P: what lies in the folder of the call is not taken for a package of that name.
        [sys.executable, "-P", "-m", module, *pipes],
        stdin=subprocess.DEVNULL,
        pass_fds=[int(pipe) for pipe in pipes],
        # A group of its own: a signal that it sends to its group does not end this process.
        process_group=0,
    ).pid


def supervise(start: Callable[[], int], pipes: Sequence[int]) -> NoReturn:
    """Start a worker, end what it leaves behind, and end with its status.

    Args:
        start: starts it, in a group of its own; returns its process id.
        pipes: the descriptors of its channel.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for each in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Not ignored: what is ignored stays so in the worker.
        signal.signal(each, lambda *_: None)
    worker = start()
    for pipe in pipes:  # the caller sees that the worker closes its own
        os.close(pipe)
    status = _end_all(worker, LEFT_BEHIND if _wait(worker, woken) else 0.0)
    if status < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with suppress(OSError):  # SIGKILL has no handler to take back
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def end_descendants(process: int) -> None:
    """Kill all that descends from a process."""
    import psutil  # where nothing is left behind, no worker's end waits for this import

    with suppress(psutil.NoSuchProcess):
        for each in psutil.Process(process).children(recursive=True):
            with suppress(psutil.Error):
                each.kill()


def end_marked(name: str, value: str) -> None:
    """Kill the user's processes with a variable in the environment that they began with."""
    import psutil

    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.environ().get(name) == value:
                each.kill()


def _wait(worker: int, woken: int) -> bool:
    """Wait for the worker's end, and return True; False if the caller wants it, or is gone."""
    while not _has_ended(worker):
        ready, _, _ = select.select([sys.stdin.fileno(), woken], [], [])
        if sys.stdin.fileno() in ready or signal.SIGTERM in os.read(woken, 2**12):
            return False
    return True


def _has_ended(worker: int) -> bool:
    """Return True if the worker has ended; orphans that have ended are forgotten."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while (ended := os.waitid(os.P_ALL, 0, options)) is not None:
        if ended.si_pid == worker:
            return True
        os.waitpid(ended.si_pid, 0)
    return False


def _end_all(worker: int, patience: float) -> int:
    """Kill the worker and all that descends from it.

    Args:
        worker: its process.
        patience: seconds that all of them have to end by themselves.

    Returns:
        The worker's exit status.
    """
    status, began = -signal.SIGKILL, time.monotonic()
    while (spent := time.monotonic() - began) < patience + ENDING:
        try:
            ended, told = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:  # on Linux nothing descends from a process without children
            break
        if ended == worker:
            status = os.waitstatus_to_exitcode(told)
        elif ended == 0:
            if spent >= patience:
                end_descendants(os.getpid())
            time.sleep(SOON)
    if sys.platform != "linux":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)
    return status


if __name__ == "__main__":
    main()
