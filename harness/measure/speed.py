"""How long an action takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Action = Callable[[], object]


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
        """The middle half lies between these."""
        return quantile(self.seconds, 0.25), quantile(self.seconds, 0.75)


def timed(
    action: Action,
    repeats: int,
    warmup: int,
    *,
    device: str | torch.device = "cpu",
    at_most: float = math.inf,
    fewest: int = 3,
) -> Times:
    """Time an action.

    Args:
        action: what is timed.
        repeats: how often it is timed.
        warmup: how often it runs before, untimed (caches, kernels chosen on first use).
        device: where it computes; a GPU is waited for before the clock is read.
        at_most: seconds after which no further repeat begins.
        fewest: repeats that are timed however long they take.

    Raises:
        ValueError: nothing would be timed.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    wait = waiter(device)
    for _ in range(warmup):
        action()
    times: list[float] = []
    while len(times) < repeats and (len(times) < fewest or sum(times) < at_most):
        times.append(_timed(action, wait))
    return Times(tuple(times))


def quantile(values: Sequence[float], share: float) -> float:
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
