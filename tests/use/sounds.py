"""Sounds like speech: noisy pulses through resonances, with pauses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

RATE = 16_000


def spoken(*, seconds: float, pause: float = 0.0, seed: int = 0) -> NDArray[Any]:
    """Sound `[samples, 1]` on the scale of int16; its last part is a pause of faint noise."""
    generator = np.random.default_rng(seed)
    samples = round(seconds * RATE)
    time = np.arange(samples) / RATE
    pulses = np.diff(np.floor((110 + 20 * seed) * time), prepend=0)
    source = pulses + 0.05 * generator.normal(size=samples)
    for centre, radius in ((600 + 80 * seed, 0.97), (1_900, 0.95), (5_600, 0.9)):
        source = lfilter(
            [1], [1, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2], source
        )
    voiced = 8_000 * source / np.abs(source).max()
    voiced[time >= seconds - pause] *= 0
    return (voiced + 2 * generator.normal(size=samples))[:, None]
