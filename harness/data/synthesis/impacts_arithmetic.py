"""Arithmetic of the impact sounds that gives the same bits on every processor.

NumPy's ``exp``, ``sin`` and complex product pick their machine code by processor and may differ
in the last bit, and so may the C library's. Here only single real sums, products, quotients and
square roots are used: IEEE 754 fixes their results. Random numbers come from the raw 64-bit
words of PCG64, which NumPy promises never to change (its distributions carry no such promise).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PI = 3.141592653589793
_EXP_HALVINGS = 10
_EXP_TERMS = 8
_SINE_TERMS = 14


class Draws:
    """A stream of random numbers named by a text, independent of every other stream."""

    def __init__(self, name: str) -> None:
        """Seed PCG64 with the SHA-256 of the name.

        Args:
            name: what the numbers are for, such as ``open-impacts/object/0012``.
        """
        digest = hashlib.sha256(name.encode("utf-8")).digest()
        self._words = np.random.PCG64(int.from_bytes(digest, "big"))

    def _raw(self, count: int) -> NDArray[np.uint64]:
        return np.asarray(self._words.random_raw(count), dtype=np.uint64)

    def uniforms(self, low: float, high: float, count: int) -> Floats:
        """Draw ``count`` numbers evenly from [low, high).

        Returns:
            float64 [count].
        """
        # The top 53 bits fill a float64 mantissa exactly.
        unit = (self._raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return low + (high - low) * unit

    def uniform(self, low: float, high: float) -> float:
        """Draw one number evenly from [low, high)."""
        return float(self.uniforms(low, high, 1)[0])

    def bells(self, count: int) -> Floats:
        """Draw ``count`` numbers of nearly normal law: mean 0, variance 1, within +-3.47.

        The sum of four uniforms (Irwin-Hall law) stands in for the normal law, for it needs no
        logarithm; one 64-bit word holds the four.

        Returns:
            float64 [count].
        """
        quarters = self._raw(count).view(np.uint16).reshape(count, 4)
        # Integer sums are exact in any order, so the byte order of the machine is of no matter.
        # Added by column: a reduction over so short an axis is far slower.
        total = quarters[:, 0].astype(np.int32)
        for column in range(1, 4):
            total += quarters[:, column]
        centred = total.astype(np.float64) * 2.0**-16 - 2.0
        return np.asarray(centred * np.sqrt(3.0), dtype=np.float64)

    def bell(self) -> float:
        """Draw one number of nearly normal law (see ``bells``)."""
        return float(self.bells(1)[0])


def exponential(x: Floats) -> Floats:
    """Compute e**x as (e**(x / 1024))**1024, the inner power by its Taylor series.

    Args:
        x: float64 of any shape, |x| <= 50 or so.

    Returns:
        float64 of the shape of x, right to about 1e-12 of its value.
    """
    small = x * 2.0**-_EXP_HALVINGS
    result = np.ones_like(small)
    for order in range(_EXP_TERMS, 0, -1):
        result = 1.0 + result * small / order
    for _ in range(_EXP_HALVINGS):
        result = result * result
    return result


def cosine_sine(turns: Floats) -> tuple[Floats, Floats]:
    """Compute cos and sin of 2 pi ``turns`` by their Taylor series.

    Args:
        turns: angles in turns, float64 of any shape.

    Returns:
        The cosine and the sine, each float64 of the shape of ``turns``.
    """
    # The angle is brought into [-pi, pi), where 14 terms reach the rounding error.
    angle = 2.0 * PI * (turns - np.floor(turns + 0.5))
    square = angle * angle
    cosine = np.ones_like(angle)
    sine = np.ones_like(angle)
    for term in range(_SINE_TERMS, 0, -1):
        cosine = 1.0 - cosine * square / ((2 * term - 1) * (2 * term))
        sine = 1.0 - sine * square / ((2 * term) * (2 * term + 1))
    return cosine, sine * angle


def _powers(real: Floats, imag: Floats, doublings: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Compute z**0 .. z**(N - 1) and z**N for N = 2**doublings, z = real + i imag, both [M].

    Returns:
        Real and imaginary parts of the powers, each [M, N], then of z**N, each [M].
    """
    reals, imags = np.ones((real.size, 1)), np.zeros((real.size, 1))
    for _ in range(doublings):
        column_r, column_i = real[:, None], imag[:, None]
        shifted_r = reals * column_r - imags * column_i
        shifted_i = reals * column_i + imags * column_r
        reals = np.concatenate([reals, shifted_r], axis=1)
        imags = np.concatenate([imags, shifted_i], axis=1)
        real, imag = real * real - imag * imag, 2.0 * (real * imag)
    return reals, imags, real, imag


def ringing(frequencies: Floats, decays: Floats, gains: Floats, rate: int, count: int) -> Floats:
    """Sum exponentially decaying sines: sum_m g_m exp(-d_m t) sin(2 pi f_m t).

    Sample 128 i + j of a mode is the imaginary part of z**(128 i) z**j, with
    z = exp((-d + 2 pi i f) / rate), so that two short tables of powers give the whole tone.

    Args:
        frequencies: Hz, [M].
        decays: amplitude decay rates in 1/s, [M].
        gains: [M].
        rate: samples a second.
        count: samples wanted, at most 16,384.

    Returns:
        float64 [count].
    """
    radius = exponential(-decays / rate)
    cosine, sine = cosine_sine(frequencies / rate)
    fine_r, fine_i, real, imag = _powers(radius * cosine, radius * sine, 7)
    coarse_r, coarse_i, _, _ = _powers(real, imag, 7)
    rows = -(-count // 128)
    total = np.zeros((rows, 128))
    for mode, gain in enumerate(gains):
        total += (gain * coarse_r[mode, :rows, None]) * fine_i[mode]
        total += (gain * coarse_i[mode, :rows, None]) * fine_r[mode]
    return total.reshape(-1)[:count]


def smooth(signal: Floats, width: int) -> Floats:
    """Average each sample with the ``width - 1`` before it (the samples before the first are 0).

    Args:
        signal: [N], N > width.
        width: samples, at least 1.

    Returns:
        float64 [N].
    """
    sums = np.cumsum(signal)
    sums[width:] = sums[width:] - sums[:-width]
    return sums / width
