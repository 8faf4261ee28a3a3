"""The name of a process that no other has: its machine, its number, and when it began."""

from __future__ import annotations

import os
import platform
from contextlib import suppress

import psutil


def this_process() -> str:
    """Return the name of this process.

    >>> is_alive(this_process())
    True
    """
    return f"{platform.node()} {os.getpid()} {psutil.Process().create_time()}"


def is_alive(name: str) -> bool:
    """Return whether a named process is there; one of another machine is taken to be.

    >>> is_alive(f"{platform.node()} {os.getpid()} 0.0")
    False
    """
    host, process, began = name.rsplit(" ", 2)
    if host != platform.node():
        return True
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(int(process)).create_time() == float(began)
    return False
