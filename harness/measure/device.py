"""Devices: the one that a job uses, its share of the processor, and the energy that it spends.

torch is imported only if there is a GPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import RequestError

if TYPE_CHECKING:
    import torch

Device = Literal["cpu", "cuda"]

POWERCAP = Path("/sys/class/powercap")
"""Folder of Linux's energy counters of processor packages (RAPL)."""

Joules = Callable[[], float]
"""Returns the joules spent since the counter was made."""


def choose_device(asked: Literal["auto", "cpu", "cuda"]) -> Device:
    """Return the device for a request.

    Raises:
        RequestError: a GPU was asked for and torch finds none.
    """
    if asked == "cpu":
        return "cpu"
    if any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists():
        import torch

        if torch.cuda.is_available():
            return "cuda"
    if asked == "cuda":
        raise RequestError("--device cuda: torch finds no GPU here; use --device cpu")
    return "cpu"


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
    return _gpu_counter(device) if device.type == "cuda" else _package_counter(powercap)


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


def _gpu_counter(device: torch.device) -> Joules | None:
    import torch

    try:
        import pynvml  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError:
        return None
    pynvml.nvmlInit()
    # By its UUID: CUDA_VISIBLE_DEVICES numbers devices anew, the driver does not.
    properties: Any = torch.cuda.get_device_properties(device)
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{properties.uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError:
        return None
    return lambda: float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3
