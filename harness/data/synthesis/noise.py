"""Additive noise: its colour and its level."""

from dataclasses import dataclass

import numpy as np

from harness.data.synthesis.portable import Array, from_decibels
from harness.data.synthesis.seeds import between, normal

_KNOTS = np.array([0.0, 60.0, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0])
_OCTAVES = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])


@dataclass(frozen=True)
class Noise:
    """The noise of a session.

    Attributes:
        curve: Spectrum [knots] in dB at ``_KNOTS``.
        ratio: Level of reverberant speech over noise in dB, on average over the session.
    """

    curve: Array
    ratio: float


def draw_noise(rng: np.random.Generator) -> Noise:
    """Return a random noise: from pink to brown, with humps of its own."""
    slope = between(rng, -6.0, -3.5)
    return Noise(slope * _OCTAVES + 2.0 * normal(rng, len(_KNOTS)), between(rng, 16.0, 26.0))


def noise_gain(noise: Noise, frequencies: Array) -> Array:
    """Return the shape [bins] of the noise's spectrum at frequencies [bins] in Hz."""
    return np.interp(frequencies, _KNOTS, from_decibels(noise.curve))
