"""Random numbers that depend on nothing but a name."""

import hashlib

import numpy as np

from harness.data.synthesis.portable import Array

_NORMAL_TERMS = 12


def stable_hash(name: str) -> int:
    """Return a 128-bit number that is the same on every machine and in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")


def generator(name: str) -> np.random.Generator:
    """Return the random generator that belongs to a name, such as ``open-26666/speaker/0123``."""
    return np.random.Generator(np.random.PCG64(stable_hash(name)))


def normal(rng: np.random.Generator, *shape: int) -> Array:
    """Return nearly normal draws [*shape], mean 0, variance 1, never beyond 6.

    The sum of twelve uniform draws (Irwin-Hall) stands in for the ziggurat of NumPy, which takes
    logarithms from the C library.
    """
    total = rng.random((_NORMAL_TERMS, *shape)).sum(axis=0)
    return np.asarray(total - _NORMAL_TERMS / 2, dtype=np.float64)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Return one uniform draw from [low, high)."""
    return low + (high - low) * float(rng.random())


def white(rng: np.random.Generator, length: int) -> Array:
    """Return white noise [length] of unit variance; uniform, as any filter makes it normal."""
    return (rng.random(length) - 0.5) * 12**0.5
