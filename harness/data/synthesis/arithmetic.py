"""Arithmetic and random numbers that give the same bits on every processor.

NumPy chooses its vectorised ``exp``, ``sin`` and complex product by processor, and the C library
chooses variants with fused multiply-add; either may differ in the last bit. Here, only single real
sums, products, quotients and square roots are used, which IEEE 754 rounds correctly, and the
Cephes polynomials in ``scipy.special``, which are compiled once: the same wheel rounds the same
way everywhere. The two corpora keep functions of their own (``open-26666`` the polynomials,
``open-impacts`` Taylor series), because their bytes are fixed. Random numbers depend on nothing
but a name.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array: TypeAlias = NDArray[np.float64]
ComplexArray: TypeAlias = NDArray[np.complex128]
IntArray: TypeAlias = NDArray[np.int64]

PI = 3.141592653589793
_NORMAL_TERMS = 12
_EXP_HALVINGS = 10
_EXP_TERMS = 8
_SINE_TERMS = 14


def power_of_two(exponent: Array) -> Array:
    """Return 2 to the exponent, element by element."""
    return np.asarray(special.exp2(exponent), dtype=np.float64)


def semitones(interval: Array) -> Array:
    """Return the frequency ratio of intervals in semitones."""
    return power_of_two(interval / 12.0)


def from_decibels(level: Array) -> Array:
    """Return the amplitude ratio of levels in dB."""
    return np.asarray(special.exp10(level / 20.0), dtype=np.float64)


def factor(interval: float) -> float:
    """Return the frequency ratio of one interval in semitones."""
    return float(semitones(np.float64(interval) * np.ones(1))[0])


def gain(level: float) -> float:
    """Return the amplitude ratio of one level in dB."""
    return float(from_decibels(np.float64(level) * np.ones(1))[0])


def cosine(turns: Array) -> Array:
    """Return the cosine of angles in turns."""
    return np.asarray(special.cosdg(360.0 * turns), dtype=np.float64)


def sine(turns: Array) -> Array:
    """Return the sine of angles in turns."""
    return np.asarray(special.sindg(360.0 * turns), dtype=np.float64)


def hann(length: int) -> Array:
    """Return the periodic Hann window [length]; shifted by half its length it sums to one."""
    return 0.5 - 0.5 * cosine(np.arange(length) / length)


def times(left: ComplexArray, right: ComplexArray) -> ComplexArray:
    """Return the product of two complex arrays that broadcast.

    Written in place: fresh memory would cost several times the arithmetic.
    """
    product = np.empty(np.broadcast_shapes(left.shape, right.shape), dtype=np.complex128)
    part = left.imag * right.imag
    np.multiply(left.real, right.real, out=product.real)
    product.real -= part
    np.multiply(left.imag, right.real, out=part)
    np.multiply(left.real, right.imag, out=product.imag)
    product.imag += part
    return product


def reciprocal(value: ComplexArray) -> ComplexArray:
    """Return one over a complex array."""
    scale = 1.0 / power(value)
    inverse = np.empty(value.shape, dtype=np.complex128)
    np.multiply(value.real, scale, out=inverse.real)
    np.negative(scale, out=scale)
    np.multiply(value.imag, scale, out=inverse.imag)
    return inverse


def power(value: ComplexArray) -> Array:
    """Return the squared magnitude of a complex array."""
    square = value.real * value.real
    square += value.imag * value.imag
    return np.asarray(square, dtype=np.float64)


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


class Draws:
    """A stream of random numbers that belongs to a name, independent of every other stream.

    It reads the raw 64-bit words of PCG64, which NumPy promises never to change; the distributions
    of NumPy carry no such promise.
    """

    def __init__(self, name: str) -> None:
        """Seed PCG64 with the SHA-256 of the name, such as ``open-impacts/object/0012``."""
        digest = hashlib.sha256(name.encode("utf-8")).digest()
        self._words = np.random.PCG64(int.from_bytes(digest, "big"))

    def _raw(self, count: int) -> NDArray[np.uint64]:
        return np.asarray(self._words.random_raw(count), dtype=np.uint64)

    def uniforms(self, low: float, high: float, count: int) -> Array:
        """Draw numbers [count] evenly from [low, high)."""
        # The top 53 bits fill a float64 mantissa exactly.
        unit = (self._raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return low + (high - low) * unit

    def uniform(self, low: float, high: float) -> float:
        """Draw one number evenly from [low, high)."""
        return float(self.uniforms(low, high, 1)[0])

    def bells(self, count: int) -> Array:
        """Draw numbers [count] of nearly normal law: mean 0, variance 1, within +-3.47.

        The sum of four uniforms (Irwin-Hall law) stands in for the normal law because it needs no
        logarithm; one 64-bit word holds the four.
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


def exponential(x: Array) -> Array:
    """Compute e**x as (e**(x / 1024))**1024, the inner power by its Taylor series.

    Args:
        x: any shape, |x| <= 50 or so.

    Returns:
        The shape of x, right to about 1e-12 of its value.
    """
    small = x * 2.0**-_EXP_HALVINGS
    result = np.ones_like(small)
    for order in range(_EXP_TERMS, 0, -1):
        result = 1.0 + result * small / order
    for _ in range(_EXP_HALVINGS):
        result = result * result
    return result


def exponential_of(x: float) -> float:
    """Compute e**x of one number as `exponential` does."""
    return float(exponential(np.array([x]))[0])


def cosine_sine(turns: Array) -> tuple[Array, Array]:
    """Compute the cosine and the sine of angles in turns by their Taylor series."""
    # The angle is brought into [-pi, pi), where 14 terms reach the rounding error.
    angle = 2.0 * PI * (turns - np.floor(turns + 0.5))
    square = angle * angle
    cosine = np.ones_like(angle)
    sine = np.ones_like(angle)
    for term in range(_SINE_TERMS, 0, -1):
        cosine = 1.0 - cosine * square / ((2 * term - 1) * (2 * term))
        sine = 1.0 - sine * square / ((2 * term) * (2 * term + 1))
    return cosine, sine * angle


def _powers(real: Array, imag: Array, doublings: int) -> tuple[Array, Array, Array, Array]:
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


def ringing(frequencies: Array, decays: Array, gains: Array, rate: int, count: int) -> Array:
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


def smooth(signal: Array, width: int) -> Array:
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
