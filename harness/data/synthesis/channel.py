"""The channel: microphone, band limits and level."""

from dataclasses import dataclass

import numpy as np

from harness.data.synthesis.portable import Array, from_decibels
from harness.data.synthesis.seeds import between, normal

_KNOTS = np.array([0.0, 200.0, 500.0, 1_000.0, 1_700.0, 2_600.0, 3_800.0, 5_400.0, 8_000.0])
_NARROW = 0.05


@dataclass(frozen=True)
class Channel:
    """What a signal passes from the air to the file.

    Attributes:
        curve: Gains [knots] in dB at ``_KNOTS``.
        low: Lower band limit in Hz.
        high: Upper band limit in Hz.
        level: Level of speech in the file in dB below full scale (root mean square).
    """

    curve: Array
    low: float
    high: float
    level: float


def draw_channel(rng: np.random.Generator) -> Channel:
    """Return a random channel; one in twenty is about as narrow as a telephone."""
    narrow = rng.random() < _NARROW
    return Channel(
        curve=1.0 * normal(rng, len(_KNOTS)),
        low=between(rng, 120.0, 320.0) if narrow else between(rng, 30.0, 80.0),
        high=between(rng, 3_300.0, 4_500.0) if narrow else between(rng, 7_000.0, 10_000.0),
        level=between(rng, -28.0, -25.0),
    )


def channel_gain(channel: Channel, frequencies: Array) -> Array:
    """Return the gain of a channel [bins] at frequencies [bins] in Hz.

    Zero phase: only the colour of a channel matters here. Band limits are squared magnitudes of
    Butterworth filters (second order below, sixth above).
    """
    curve = np.interp(frequencies, _KNOTS, from_decibels(channel.curve))
    below = _sixth(frequencies / channel.high)
    above = (frequencies / channel.low) ** 2
    return curve * (above**2 / (1.0 + above**2)) / (1.0 + below**2)


def _sixth(ratio: Array) -> Array:
    """Return the sixth power by products, as the C library's power may round otherwise."""
    square = ratio * ratio
    return np.asarray(square * square * square, dtype=np.float64)
