"""Elementary functions whose last bit does not depend on the processor.

NumPy chooses its vectorised ``exp`` and ``sin`` by processor, and the C library chooses variants
with fused multiply-add. The Cephes polynomials in ``scipy.special`` are compiled once, without
either, so the same wheel rounds the same way everywhere.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array: TypeAlias = NDArray[np.float64]
ComplexArray: TypeAlias = NDArray[np.complex128]
IntArray: TypeAlias = NDArray[np.int64]


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

    NumPy's own complex product fuses multiply and add where the processor can. Written in place:
    fresh memory would cost several times the arithmetic.
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
    """Return one over a complex array, for the same reason as ``times``."""
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
