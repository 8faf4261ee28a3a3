"""Devices: the one that a job uses, its share of the processor, and the energy that it spends.

torch is imported only if there is a GPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.errors import RequestError
from harness.measure.nvml import driver_version, gpu_driver, old_driver

if TYPE_CHECKING:
    import torch

Device = Literal["cpu", "cuda", "mps"]

POWERCAP = Path("/sys/class/powercap")
"""Folder of Linux's energy counters of processor packages (RAPL)."""

Joules = Callable[[], float | None]
"""Returns the joules spent since some moment; None if the counter gives none any more."""


UNSEEN_MPS = (
    "--device mps: nobody has seen this program on an Apple GPU yet; compare what it gives with "
    "--device cpu before you rest on it"
)
"""Told by whoever takes the request."""


def choose_device(asked: Literal["auto", "cpu", "cuda", "mps"]) -> Device:
    """Return the device for a request; an Apple GPU is used if it is asked for by name alone.

    Raises:
        RequestError: a GPU was asked for and torch finds none.
    """
    if asked == "cpu":
        return "cpu"
    if asked == "mps":
        import torch

        if torch.backends.mps.is_available():
            return "mps"
        raise RequestError("--device mps: torch finds no Apple GPU here; use --device cpu")
    why = missing_gpu()
    if why is None:
        return "cuda"
    if asked == "cuda":
        raise RequestError(f"--device cuda: {why}; use --device cpu")
    return "cpu"


def missing_gpu() -> str | None:
    """Return why torch can use no GPU here; None if it can use one."""
    if any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists():
        import torch

        if torch.cuda.is_available():
            return None
        if old := old_driver(torch.version.cuda, driver_version()):
            return f"torch finds no GPU here: {old}"
    return "torch finds no GPU here"


def default_threads(workers: int) -> int:
    """Return the threads of each of some workers on this machine."""
    return max(1, cores() // workers)


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def energy_counter(device: str | torch.device, powercap: Path = POWERCAP) -> Joules | None:
    """Return a counter of a device's joules; None if it has none, or it may not be read.

    A GPU is counted by its driver, a processor by Linux.
    """
    import torch

    device = torch.device(device)
    if device.type != "cuda":
        return _package_counter(powercap)
    driver = gpu_driver(device)
    return driver.joules if driver is not None and driver.joules() is not None else None


def _package_counter(powercap: Path) -> Joules | None:
    files = sorted(powercap.glob("intel-rapl:[0-9]*/energy_uj"))
    whole = [file for file in files if file.parent.name.count(":") == 1]
    try:
        wraps = [int((file.parent / "max_energy_range_uj").read_text()) for file in whole]
        before = [int(file.read_text()) for file in whole]
    except OSError:  # for the administrator alone, on most machines
        return None
    if not whole:
        return None
    spent = [0] * len(whole)

    def joules() -> float:
        for place, file in enumerate(whole):
            now = int(file.read_text())
            spent[place] += (now - before[place]) % (wraps[place] + 1)
            before[place] = now
        return sum(spent) / 1e6

    return joules
