"""Windows of thresholds: only the scores near an answer are sorted, the others are counted.

A few million scores take far longer to sort than to compare with one number. So a sample of each
side predicts between which two thresholds the answer lies; the scores between them are sorted and
those outside counted. Whoever asks checks that the answer cannot lie outside, and takes the whole
list if it could: the prediction decides the time, never the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.operating_point import OperatingPoint

Floats = NDArray[np.floating[Any]]

SAMPLE = 2**14
"""How many scores of a side are sampled."""

SURPRISE = 5.0
"""Standard errors by which a sample may be wrong before the whole list is sorted."""


@dataclass(frozen=True)
class Bounds:
    """Thresholds from low up to, and with, high; each an observed score or infinite."""

    low: float = -math.inf
    high: float = math.inf

    @property
    def is_all(self) -> bool:
        """True if no threshold is left out."""
        return math.isinf(self.low) and math.isinf(self.high)

    def holds(self, scores: Floats) -> NDArray[np.bool_]:
        """Tell of each score whether it is in the window: low <= score < high."""
        if self.is_all:
            return np.ones(scores.shape, dtype=np.bool_)
        return (scores >= scores.dtype.type(self.low)) & (scores < scores.dtype.type(self.high))


@dataclass(frozen=True, eq=False)
class Window:
    """The trials of a window, ascending, and how many there are below and in all.

    Attributes:
        targets, nontargets: the scores in `[low, high)`, ascending, of one dtype.
        targets_below, nontargets_below: how many score less than low.
        all_targets, all_nontargets: how many there are anywhere.
        high: the highest threshold of the window, itself outside of it.
    """

    targets: Floats
    nontargets: Floats
    targets_below: int
    nontargets_below: int
    all_targets: int
    all_nontargets: int
    high: float

    def misses(self, thresholds: Any) -> Any:
        """Count the targets below each threshold of the window, or below high."""
        return self.targets_below + np.searchsorted(self.targets, thresholds)

    def false_alarms(self, thresholds: Any) -> Any:
        """Count the nontargets at or above each threshold of the window, or high."""
        rejected = self.nontargets_below + np.searchsorted(self.nontargets, thresholds)
        return self.all_nontargets - rejected


def cut(targets: Floats, nontargets: Floats, bounds: Bounds) -> Window:
    """Sort what lies in the bounds, and counts what lies below.

    Args:
        targets: `[T]`, finite, in any order.
        nontargets: `[N]`, of the same dtype.
        bounds: the window.
    """
    return Window(
        np.sort(targets[bounds.holds(targets)]),
        np.sort(nontargets[bounds.holds(nontargets)]),
        _below(targets, bounds.low),
        _below(nontargets, bounds.low),
        len(targets),
        len(nontargets),
        bounds.high,
    )


@dataclass(frozen=True, eq=False)
class Sketch:
    """Error rates at the scores of a sample, ascending.

    Attributes:
        targets, nontargets: the sampled scores of each side, ascending.
        is_all: True if the lists are so short that sampling them saves nothing.
    """

    targets: Floats
    nontargets: Floats
    is_all: bool

    @cached_property
    def thresholds(self) -> Floats:
        """All sampled scores, ascending."""
        return np.sort(np.concatenate([self.targets, self.nontargets]))

    @cached_property
    def miss(self) -> NDArray[np.float64]:
        """The sample's miss rate at each threshold."""
        return np.searchsorted(self.targets, self.thresholds) / len(self.targets)

    @cached_property
    def false_alarm(self) -> NDArray[np.float64]:
        """The sample's false-alarm rate at each threshold."""
        return 1 - np.searchsorted(self.nontargets, self.thresholds) / len(self.nontargets)

    def around_eer(self, reach: float = 0.0) -> Bounds:
        """Return bounds within which miss and false-alarm rates very likely meet.

        Args:
            reach: by what part of the rate the meeting may be elsewhere, beside the error of the
                sample; for resampled trials.
        """
        if self.is_all:
            return Bounds()
        gap = self.miss - self.false_alarm
        middle = int(np.searchsorted(gap, 0.0))
        rate = float(self.miss[min(middle, len(gap) - 1)])
        noise = math.hypot(_noise(rate, len(self.targets)), _noise(rate, len(self.nontargets)))
        slack = reach * rate + noise
        return self._bounds(
            int(np.searchsorted(gap, -slack)) - 1, int(np.searchsorted(gap, slack)) + 1
        )

    def around_min_dcf(self, point: OperatingPoint, reach: float = 0.25) -> Bounds:
        """Return bounds beyond which misses or false alarms alone cost more than the least cost.

        Args:
            point: prior and costs.
            reach: by what part of itself the least cost may be higher than the sample's.
        """
        if self.is_all:
            return Bounds()
        c_miss, c_fa = point.weights
        costs = c_miss * self.miss + c_fa * self.false_alarm
        most = (1 + reach) * min(1.0, float(costs.min()))
        false_alarm, miss = most / c_fa, most / c_miss
        false_alarm += _noise(false_alarm, len(self.nontargets))
        miss += _noise(miss, len(self.targets))
        first = int(np.searchsorted(-self.false_alarm, -false_alarm)) - 1
        return self._bounds(first, int(np.searchsorted(self.miss, miss, side="right")) + 1)

    def _bounds(self, first: int, last: int) -> Bounds:
        low = float(self.thresholds[first]) if first >= 0 else -math.inf
        high = float(self.thresholds[last]) if last < len(self.thresholds) else math.inf
        return Bounds(low, high)


def sketch(targets: Floats, nontargets: Floats) -> Sketch:
    """Sample both sides evenly along their lists."""
    few = len(targets) + len(nontargets) <= 4 * SAMPLE
    return Sketch(_sample(targets), _sample(nontargets), few)


def _sample(side: Floats) -> Floats:
    return np.sort(side[:: max(1, len(side) // SAMPLE)])


def _noise(rate: float, count: int) -> float:
    """Return SURPRISE standard errors of a rate over `count` trials, and two trials more."""
    return SURPRISE * math.sqrt(max(0.0, rate * (1 - rate)) / count) + 2 / count


def _below(side: Floats, low: float) -> int:
    return 0 if math.isinf(low) else int(np.count_nonzero(side < side.dtype.type(low)))
