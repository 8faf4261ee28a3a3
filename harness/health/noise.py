"""How much a curve's values scatter, and which of its moves are more than that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

MOST_ALIKE = 0.7
"""Autocorrelation of the noise that is allowed for, at most."""

NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

FALSE_ALARMS = 0.05
"""Moves that white noise alone would have called beyond noise, expected of a whole curve."""


@dataclass(frozen=True)
class Moves:
    """Steps from one validation to the next that are more than noise."""

    improvements: int
    setbacks: int


def noise_deviation(values: Floats) -> float:
    """Return the standard deviation of a curve's noise about its course; NaN under 4 values.

    From second differences, which a straight course does not enter (Gasser, Sroka and
    Jennen-Steinmetz, Biometrika 73, 1986); by their median, so that a few leaps do not enter
    either.

    Args:
        values: `[N]`, equally far apart.
    """
    if len(values) < 4:
        return float("nan")
    second = np.diff(values, 2)
    return float(NORMAL_MAD * np.median(np.abs(second)) / np.sqrt(6))


def error_of_means(values: Floats, count: int) -> float:
    """Return the standard error of the mean of some neighbours, whatever their autocorrelation.

    It is that at `MOST_ALIKE`, the largest that is allowed for, where second differences show less
    of the noise and a mean takes less of it away. NaN under 4 values.

    Args:
        values: `[N]`, equally far apart.
        count: of the neighbours.
    """
    shown = (6 - 8 * MOST_ALIKE + 2 * MOST_ALIKE**2) / 6
    return float(noise_deviation(values) * np.sqrt(inflation(count, MOST_ALIKE) / shown / count))


def inflation(count: int, rho: float) -> float:
    """Return the variance of the mean of AR(1) neighbours, over that of as many white ones.

    >>> inflation(5, 0.0)
    1.0
    """
    apart = np.arange(1, count)
    return float(1 + 2 * ((1 - apart / count) * rho**apart).sum())


def stability(values: Floats) -> float:
    """Return 1 less the noise as a share of the curve's level, 0 at least; NaN if unknown.

    The level is the median size of the later half. 1 is a curve without noise; 0.9 one whose
    validations scatter by a tenth of their value.
    """
    level = float(np.median(np.abs(values[len(values) // 2 :]))) if len(values) else 0.0
    deviation = noise_deviation(values)
    if not np.isfinite(deviation):
        return float("nan")
    if deviation == 0:
        return 1.0
    return max(0.0, 1 - deviation / level) if level else 0.0


def count_moves(better: Floats) -> Moves:
    """Count improvements and setbacks beyond noise.

    A move counts that is larger than the difference of two noisy values would be, in a whole curve
    of white noise, `FALSE_ALARMS` times.

    Args:
        better: `[N]`; higher is better.
    """
    deviation = noise_deviation(better)
    if not np.isfinite(deviation):
        return Moves(0, 0)
    limit = moves_limit(len(better)) * deviation
    steps = np.diff(better)
    return Moves(int((steps > limit).sum()), int((steps < -limit).sum()))


def moves_limit(count: int) -> float:
    """Return the size from which on a move counts, in noise deviations."""
    return float(-np.sqrt(2) * ndtri(FALSE_ALARMS / (2 * (count - 1))))
