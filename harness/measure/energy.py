"""Energy spent, where the hardware counts it: a GPU by its driver, a processor by Linux."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows the energy counters of processor packages (RAPL)."""

Counter = Callable[[], float]
"""Joules since some moment."""


def energy_counter(device: str | torch.device, powercap: Path = POWERCAP) -> Counter | None:
    """What counts a device's joules; None where nothing does, or it may not be read."""
    import torch

    device = torch.device(device)
    return _gpu(device) if device.type == "cuda" else _packages(powercap)


def _packages(powercap: Path) -> Counter | None:
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


def _gpu(device: torch.device) -> Counter | None:
    import torch

    try:
        import pynvml  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError:
        return None
    pynvml.nvmlInit()
    # By its own name: CUDA_VISIBLE_DEVICES numbers devices anew, the driver does not.
    where: Any = torch.cuda.get_device_properties(device)
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{where.uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError:
        return None
    return lambda: float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3
