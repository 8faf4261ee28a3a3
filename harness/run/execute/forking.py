"""Processes that begin as a copy of this one: all that it has imported is there at once.

A copy is made to look like a process of its own: streams, descriptors, group, signals, variables,
and its end. Linux alone.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ENVIRONMENT_BEGINS, ENVIRONMENT_ENDS = 50, 51
"""Fields of /proc/PID/stat: the addresses of the variables that a process began with (proc(5))."""

_SHOWN = Path("/proc/self/environ")


def fork(
    act: Callable[[], object],
    streams: tuple[int, int, int],
    kept: Sequence[int],
    environment: Mapping[str, str],
) -> int:
    """Start a copy of this process, as the leader of a group, that acts and ends.

    Args:
        act: what it does; it ends as a program of these lines would.
        streams: descriptors of its standard input, output and error.
        kept: descriptors that it keeps under their numbers; all others are closed.
        environment: its variables.

    Returns:
        Its process id.
    """
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


def show_variable(name: str, value: str) -> bool:
    """Let the system show a value for one of the variables that this process began with.

    A copy is else shown with those of its origin, and could not be told from other copies.

    Args:
        name: of a variable that it began with.
        value: as many bytes as the one that is shown.

    Returns:
        True if the system shows it now.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    # The first field behind the bracket is the third of all.
    begin, end = (int(fields[each - 3]) for each in (ENVIRONMENT_BEGINS, ENVIRONMENT_ENDS))
    shown, entry, told = _SHOWN.read_bytes(), f"{name}=".encode(), value.encode()
    place = (b"\0" + shown).find(b"\0" + entry)
    if place < 0 or end - begin != len(shown):  # it is not there, or the system hides addresses
        return False
    first = place + len(entry)
    if shown.index(b"\0", first) - first != len(told):
        return False
    ctypes.memmove(begin + first, told, len(told))
    return _SHOWN.read_bytes()[first : first + len(told)] == told
