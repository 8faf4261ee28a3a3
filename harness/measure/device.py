"""Which device `auto` means, without importing torch where there is no GPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from harness.errors import RequestError

Device = Literal["cpu", "cuda"]


def choose_device(asked: Literal["auto", "cpu", "cuda"]) -> Device:
    """Turn what was asked for into a device that is there.

    Raises:
        RequestError: a GPU was asked for and torch finds none.
    """
    if asked == "cpu":
        return "cpu"
    if _cuda_is_there():
        return "cuda"
    if asked == "cuda":
        raise RequestError("--device cuda: torch finds no GPU here; use --device cpu")
    return "cpu"


def default_threads(workers: int) -> int:
    """Threads for each of some workers on this machine."""
    return max(1, cores() // workers)


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cuda_is_there() -> bool:
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/dxg").exists():
        return False
    import torch

    return torch.cuda.is_available()
