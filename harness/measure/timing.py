"""Time that an action takes, and time that threads waited for a processor."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

THREADS = Path("/proc/self/task")


@dataclass(frozen=True)
class Times:
    """Repeats of one action, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The time that half of the repeats are under."""
        return quantile(self.seconds, 0.5)

    @property
    def p95(self) -> float:
        """The time that all but a twentieth of the repeats are under."""
        return quantile(self.seconds, 0.95)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The times between which the middle half of the repeats lies."""
        return quantile(self.seconds, 0.25), quantile(self.seconds, 0.75)


def time_action(
    action: Callable[[], object],
    repeats: int,
    warmup: int,
    *,
    device: str | torch.device = "cpu",
    at_most: float = math.inf,
    fewest: int = 3,
) -> Times:
    """Time an action.

    Args:
        action: the action.
        repeats: number of timed runs.
        warmup: number of untimed runs before (caches, kernels chosen on first use).
        device: device that computes; a GPU is waited for before the clock is read.
        at_most: seconds after which no further repeat begins.
        fewest: repeats that are timed however long they take.

    Raises:
        ValueError: nothing would be timed.
    """
    import torch

    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    device = torch.device(device)

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    for _ in range(warmup):
        action()
    times: list[float] = []
    while len(times) < repeats and (len(times) < fewest or sum(times) < at_most):
        start = now()
        action()
        times.append(now() - start)
    return Times(tuple(times))


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile by linear interpolation of order statistics (Hyndman and Fan's type 7).

    >>> quantile([3.0, 1.0, 2.0], 0.5), quantile([0.0, 1.0], 0.95)
    (2.0, 0.95)
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@dataclass(frozen=True)
class CpuTimes:
    """Time that this process's threads spent so far, in seconds.

    Attributes:
        ran: on a processor.
        waited: ready to run, with no processor free.
    """

    ran: float = 0.0
    waited: float = 0.0

    def since(self, before: CpuTimes) -> CpuTimes:
        """Return the difference to an earlier count; a thread that ended takes its times along."""
        return CpuTimes(max(0.0, self.ran - before.ran), max(0.0, self.waited - before.waited))

    @property
    def share(self) -> float | None:
        """The share of the time that was waiting, 0 to 1; None if nothing was counted."""
        spent = self.ran + self.waited
        return self.waited / spent if spent else None


def cpu_times() -> CpuTimes:
    """Sum the times of all threads; zeros if the system does not count them (only Linux does).

    Source: `schedstat` of each thread, nanoseconds on a processor and in its queue.
    """
    ran = waited = 0
    for file in THREADS.glob("*/schedstat"):
        try:
            numbers = file.read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # the thread ended meanwhile
            continue
        ran, waited = ran + int(numbers[0]), waited + int(numbers[1])
    return CpuTimes(ran / 1e9, waited / 1e9)
