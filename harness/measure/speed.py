"""How long an action takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Action = Callable[[], object]


@dataclass(frozen=True)
class Latency:
    """Quantiles of the time of one action, in seconds."""

    p50: float
    p95: float


def median_seconds(
    action: Action, repeats: int, warmup: int, *, device: str | torch.device = "cpu"
) -> float:
    """Median time of an action, in seconds.

    Args:
        action: what is timed.
        repeats: how often it is timed.
        warmup: how often it runs before, untimed (caches, kernels chosen on first use).
        device: where it computes; a GPU is waited for before the clock is read.
    """
    return statistics.median(durations(action, repeats, warmup, device=device))


def latency(
    action: Action, repeats: int, warmup: int, *, device: str | torch.device = "cpu"
) -> Latency:
    """Median and 95th percentile of an action's time; arguments as of `median_seconds`."""
    times = durations(action, repeats, warmup, device=device)
    return Latency(p50=quantile(times, 0.5), p95=quantile(times, 0.95))


def durations(
    action: Action, repeats: int, warmup: int, *, device: str | torch.device = "cpu"
) -> list[float]:
    """Each repeat's time in seconds; arguments as of `median_seconds`.

    Raises:
        ValueError: nothing would be timed.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    wait = waiter(device)
    for _ in range(warmup):
        action()
    return [_timed(action, wait) for _ in range(repeats)]


def quantile(values: list[float], share: float) -> float:
    """Quantile by linear interpolation between order statistics (Hyndman and Fan's type 7).

    >>> quantile([3.0, 1.0, 2.0], 0.5), quantile([0.0, 1.0], 0.95)
    (2.0, 0.95)
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def waiter(device: str | torch.device) -> Callable[[], None]:
    """What waits until a device has done all it was given: nothing, but for a GPU."""
    import torch

    device = torch.device(device)
    if device.type != "cuda":
        return lambda: None
    return lambda: torch.cuda.synchronize(device)


def _timed(action: Action, wait: Callable[[], None]) -> float:
    wait()
    start = time.perf_counter()
    action()
    wait()
    return time.perf_counter() - start
