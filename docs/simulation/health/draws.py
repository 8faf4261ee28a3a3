"""Curves that are drawn: noise of a given autocorrelation, and what it is laid upon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]


def noise(random: np.random.Generator, curves: int, count: int, rho: float = 0.0) -> Floats:
    """Draw stationary AR(1) noise of variance 1, `[curves, count]`."""
    steps = random.standard_normal((curves, count))
    steps[:, 1:] *= np.sqrt(1 - rho**2)
    return np.asarray(lfilter([1.0], [1.0, -rho], steps, axis=1))


def heavy(random: np.random.Generator, curves: int, count: int) -> Floats:
    """Draw white noise of variance 1 with heavy tails: Student's t of 3 degrees of freedom."""
    return np.asarray(random.standard_t(3, (curves, count)) / np.sqrt(3))


def ramp(count: int, rise: float) -> Floats:
    """Return a straight rise from the first value to the last, `[count]`."""
    return np.linspace(0, rise, count)


def settling(count: int, rise: float) -> Floats:
    """Return a rise that settles, with a quarter of the curve as its time constant."""
    curve = 1 - np.exp(-4 * np.arange(count) / count)
    return np.asarray(rise * curve / curve[-1])
