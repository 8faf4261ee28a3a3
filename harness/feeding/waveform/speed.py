"""Sound played faster or slower: its pitch and its length change together."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FINEST = 100
"""A speed is taken as the nearest ratio of whole numbers up to this."""

CROSSINGS = 10
"""Zero crossings of the band limit's kernel on either side, at the lower of the two rates."""


def samples_before(samples: int, speed: float) -> int:
    """How many samples become so many at a speed.

    >>> samples_before(32_000, 1.1), samples_before(32_000, 0.9)
    (35200, 28800)
    """
    return math.ceil(samples * _ratio(speed))


def at_speed(wave: Tensor, speed: float, samples: int) -> Tensor:
    """Play sound at a speed, band-limited to what both rates can hold.

    The filter is that of `scipy.signal.resample_poly`; beyond its ends the sound is silent.

    Args:
        wave: `[rows, samples before]`.
        speed: above 1 is faster, shorter and higher.
        samples: how many are wanted; `samples_before` tells how many that takes.

    Returns:
        `[rows, samples]`.
    """
    ratio = _ratio(speed)
    if ratio == 1:
        return wave[:, :samples]
    first, kernel = _kernel(ratio)
    weights = torch.from_numpy(kernel).to(wave.device, wave.dtype)
    blocks = math.ceil(samples / ratio.denominator)
    reach = (blocks - 1) * ratio.numerator + len(kernel)
    after = max(0, reach + first - wave.shape[1])
    padded = torch.nn.functional.pad(wave, (-first, after))[:, :reach]
    pieces = padded.unfold(1, len(kernel), ratio.numerator)
    return (pieces @ weights).flatten(1)[:, :samples]


def _ratio(speed: float) -> Fraction:
    """Samples before over samples after."""
    return Fraction(speed).limit_denominator(FINEST)


@lru_cache(maxsize=16)
def _kernel(ratio: Fraction) -> tuple[int, NDArray[np.float32]]:
    """Where the kernel begins, relative to its block, and its weights `[taps, samples a block]`.

    As many samples as the ratio's denominator come of one block of as many as its numerator.
    """
    from scipy.signal import firwin  # a second to import, and few calls change speeds

    up, down = ratio.denominator, ratio.numerator
    half = CROSSINGS * max(up, down)
    taps = up * firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0))
    first = -(half // up)
    last = ((up - 1) * down + half) // up
    place = np.arange(up)[None] * down - np.arange(first, last + 1)[:, None] * up + half
    inside = (place >= 0) & (place <= 2 * half)
    weights = np.where(inside, taps[np.clip(place, 0, 2 * half)], 0.0)
    return first, weights.astype(np.float32)
