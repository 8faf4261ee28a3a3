"""The state of a GPU as its driver tells it: energy, clocks, what slows it, who shares it.

It is asked through NVML, the driver's own library, by the optional package `nvidia-ml-py`. Without
the package, without the library (as in some containers), or on a card that does not count a figure,
that figure is None: no measurement ends for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

DRIVER = Path("/proc/driver/nvidia/version")
"""The kernel module's own file, which not every container shows."""

LEAST_DRIVER = {12: 525, 13: 580}
"""Major version of CUDA -> the oldest driver that runs it (CUDA's notes on compatibility)."""

SLOWED_BY = {
    0x04: "its power limit",
    0x08: "its hardware",
    0x20: "heat",
    0x40: "heat",
    0x80: "its power supply",
}
"""NVML's reasons for clocks under the card's own that nobody asked for (`nvmlClocksEventReason*`).

The others are idleness, clocks that an administrator set, and displays.
"""


@dataclass(frozen=True)
class GpuState:
    """The state of a GPU at one moment; None is what its driver does not tell.

    Attributes:
        clock, most: of its processors now, and at most, in MHz.
        reasons: bits of `SLOWED_BY` and others.
        others: processes that compute on it, without one. That one is this process, which a
            container knows by another number.
    """

    clock: int | None = None
    most: int | None = None
    reasons: int | None = None
    others: int | None = None


class GpuDriver:
    """One GPU, as its driver sees it.

    Args:
        nvml: the package, started.
        handle: the package's name for the card.
    """

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle

    def joules(self) -> float | None:
        """Return the joules that the card spent since its driver was loaded."""
        spent = self._ask("nvmlDeviceGetTotalEnergyConsumption")
        return None if spent is None else spent / 1e3

    def state(self) -> GpuState:
        """Return the present clocks, what slows them, and how many share the card."""
        running = self._ask("nvmlDeviceGetComputeRunningProcesses")
        sm = self._nvml.NVML_CLOCK_SM
        return GpuState(
            clock=self._ask("nvmlDeviceGetClockInfo", sm),
            most=self._ask("nvmlDeviceGetMaxClockInfo", sm),
            reasons=self._ask("nvmlDeviceGetCurrentClocksThrottleReasons"),
            others=None if running is None else max(0, len({each.pid for each in running}) - 1),
        )

    def _ask(self, question: str, *more: object) -> Any:
        try:
            return getattr(self._nvml, question)(self._handle, *more)
        except self._nvml.NVMLError:  # not counted by this card, or not for this user
            return None


def gpu_driver(device: torch.device) -> GpuDriver | None:
    """Return a GPU's driver; None if the device is none, or its driver cannot be asked."""
    if device.type != "cuda" or (nvml := _started()) is None:
        return None
    import torch

    # By its UUID: CUDA_VISIBLE_DEVICES numbers devices anew, the driver does not.
    properties: Any = torch.cuda.get_device_properties(device)
    try:
        return GpuDriver(nvml, nvml.nvmlDeviceGetHandleByUUID(f"GPU-{properties.uuid}"))
    except nvml.NVMLError:  # a slice of a card has a name of another kind
        return None


def _started() -> Any:
    """Return the package that asks the driver, ready for it; None if it cannot."""
    try:
        import pynvml
    except ModuleNotFoundError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


def driver_version(file: Path = DRIVER) -> str | None:
    """Return the version of NVIDIA's driver, as in `580.65.06`; None if there is none to be seen.

    Args:
        file: is read where NVML cannot be asked, so that both name one version alike.
    """
    nvml = _started()
    if nvml is not None:
        try:
            return str(nvml.nvmlSystemGetDriverVersion())
        except nvml.NVMLError:
            pass
    found = re.search(r"\b\d{3}\.\d+(\.\d+)?\b", file.read_text()) if file.exists() else None
    return found[0] if found else None


def old_driver(cuda: str | None, driver: str | None) -> str:
    """Return why a driver cannot run a version of CUDA, and the mend; empty if it can.

    >>> old_driver("13.0", "580.65.06")
    ''
    >>> old_driver("13.0", "535.129.03")
    "torch's CUDA 13.0 needs NVIDIA's driver 580 or later, this is 535.129.03: bring it up to date"
    """
    if cuda is None or driver is None:
        return ""
    least = LEAST_DRIVER.get(int(cuda.partition(".")[0]), 0)
    if int(driver.partition(".")[0]) >= least:
        return ""
    return (
        f"torch's CUDA {cuda} needs NVIDIA's driver {least} or later, this is {driver}: "
        "bring it up to date"
    )


def disturbances(before: GpuState, after: GpuState) -> tuple[str, ...]:
    """Return what kept a GPU from its speed between two moments, in words.

    >>> disturbances(GpuState(1980, 1980, 0, 0), GpuState(1350, 1980, 0x04 | 0x20, 1))
    ('slowed by heat and its power limit, to 1,350 of 1,980 MHz', 'shared with 1 other process')
    """
    reasons = (before.reasons or 0) | (after.reasons or 0)
    slowed = sorted({words for bit, words in SLOWED_BY.items() if reasons & bit})
    clocks = [state.clock for state in (before, after) if state.clock is not None]
    at = f", to {min(clocks):,} of {after.most:,} MHz" if clocks and after.most else ""
    others = max(before.others or 0, after.others or 0)
    return (
        *([f"slowed by {' and '.join(slowed)}{at}"] if slowed else []),
        *([f"shared with {others} other process{'es' * (others > 1)}"] if others else []),
    )
