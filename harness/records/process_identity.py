"""Which process it is, among all of the machines that share a folder, and whether it has ended."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class ProcessIdentity(BaseModel):
    """A process, told apart from one that has its number later.

    Attributes:
        host: its machine's name.
        pid: its number there.
        place: whose numbers of processes these are; empty where the system does not tell.
        began: when the process began, in the system's own ticks.
    """

    model_config = ConfigDict(frozen=True)

    host: str
    pid: int
    place: str = ""
    began: str = ""

    @property
    def is_dead(self) -> bool:
        """True if it is known to have ended; what runs elsewhere is never known to."""
        return bool(self.place) and self.place == _place() and _began(self.pid) != self.began


def this_process() -> ProcessIdentity:
    """Return the identity of this process.

    >>> this_process().is_dead
    False
    """
    pid = os.getpid()
    return ProcessIdentity(host=platform.node(), pid=pid, place=_place(), began=_began(pid))


@cache
def _place() -> str:
    """Return what two processes share if one sees the other's number; empty if that is unknown.

    Containers on one machine number their processes apart, and users may not see each other's.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')} {os.getuid()}"
    except OSError:
        return ""


def _began(pid: int) -> str:
    """Return when a process began (proc_pid_stat(5), field 22); empty if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
