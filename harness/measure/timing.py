"""Time that an action takes, and time that threads waited for a processor."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.measure.nvml import disturbances, gpu_driver

if TYPE_CHECKING:
    import torch

    from harness.measure.device import Joules

THREADS = Path("/proc/self/task")


FIGURE = 1.0
"""Seconds of repeats behind every figure, at least."""

ENERGY = 2.0
"""Seconds of repeats where joules are counted: a GPU's counter moves ten times a second or less."""

REPEATS = 3
"""Repeats behind every figure, at least; two are enough once they took `LONG` seconds."""

LONG = 6.0

ON_PROCESSOR = 50
"""Repeats that are enough on a processor in less than a second: no clock of it rises by then."""

WARM_UP = 0.5
"""Seconds that a GPU is kept busy before it is timed: its clocks rise with its work."""


@dataclass(frozen=True)
class Times:
    """Repeats of one action, in seconds.

    Attributes:
        seconds: of each repeat.
        joules: that all of them took; None if they were not counted.
        disturbances: what kept a GPU from its speed meanwhile, in words.
    """

    seconds: tuple[float, ...]
    joules: float | None = None
    disturbances: tuple[str, ...] = ()

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


def _synchronise(device: torch.device) -> None:
    """Wait for all that a GPU was given to do."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def time_action(
    action: Callable[[], object],
    *,
    device: str | torch.device = "cpu",
    at_least: float = FIGURE,
    fewest: int = REPEATS,
    most: float = math.inf,
    warmup: int = 1,
    joules: Joules | None = None,
) -> Times:
    """Time an action, on a GPU after it ran for `WARM_UP` seconds.

    Args:
        action: the action.
        device: device that computes; a GPU is waited for before a clock or a counter is read.
        at_least: seconds of repeats, `ENERGY` at the least where joules are counted.
        fewest: repeats, or two that took `LONG` seconds.
        most: repeats after which no other begins, however little they took.
        warmup: untimed runs before (caches, kernels chosen on first use).
        joules: counter of the device's energy.

    Raises:
        ValueError: nothing would be timed.
    """
    import torch

    if min(fewest, most) < 1:
        raise ValueError(f"at least 1 repeat is timed, got {min(fewest, most)}")
    device = torch.device(device)
    at_least = max(at_least, ENERGY) if joules else at_least
    if device.type == "cpu" and not joules:
        most = min(most, ON_PROCESSOR)

    def now() -> float:
        _synchronise(device)
        return time.perf_counter()

    for _ in range(warmup):
        action()
    began = now()
    while device.type == "cuda" and now() - began < WARM_UP:
        action()
    driver = gpu_driver(device)
    state = driver.state() if driver else None
    times: list[float] = []
    seconds = 0.0
    before = joules() if joules else None
    while len(times) < most and not _is_enough(len(times), seconds, at_least, fewest):
        start = now()
        action()
        times.append(now() - start)
        seconds += times[-1]
    after = joules() if joules else None
    return Times(
        tuple(times),
        None if before is None or after is None else after - before,
        disturbances(state, driver.state()) if driver and state else (),
    )


def _is_enough(repeats: int, seconds: float, at_least: float, fewest: int) -> bool:
    few = repeats >= min(fewest, 2) and seconds >= LONG
    return (repeats >= fewest or few) and seconds >= at_least


def repeats_seconds(seconds: float, at_least: float = FIGURE) -> float:
    """Return how long the repeats of an action take, at most, that takes some seconds once.

    >>> repeats_seconds(0.3), repeats_seconds(2.0), repeats_seconds(5.0)
    (1.2, 6.0, 10.0)
    """
    if seconds <= 0:
        return at_least
    few = max(2, math.ceil(LONG / seconds))
    return seconds * max(math.ceil(at_least / seconds), min(REPEATS, few))


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
