"""Tensor functions that augment sound (speed, reverberation, noise) and features (masks)."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from harness.adapter import Fbank, Input, Spectrogram
from harness.config.recipe_tables import Augment

FINEST = 100
"""A speed is taken as the nearest ratio of whole numbers up to this."""

CROSSINGS = 10
"""Zero crossings of the band limit's kernel on either side, at the lower of the two rates."""


def samples_before(samples: int, speed: float) -> int:
    """Return the count of samples that become so many at a speed.

    >>> samples_before(32_000, 1.1), samples_before(32_000, 0.9)
    (35200, 28800)
    """
    return math.ceil(samples * _ratio(speed))


def at_speed(wave: Tensor, speed: float, samples: int) -> Tensor:
    """Play sound at a speed, its pitch and length changed together.

    It is band-limited to what both rates can hold, by the filter of
    `scipy.signal.resample_poly`; beyond its ends the sound is silent.

    Args:
        wave: `[rows, samples before]`.
        speed: above 1 is faster, shorter and higher.
        samples: after the change; `samples_before` returns the count that it takes.

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
    """Return samples before over samples after."""
    return Fraction(speed).limit_denominator(FINEST)


@lru_cache(maxsize=16)
def _kernel(ratio: Fraction) -> tuple[int, NDArray[np.float32]]:
    """Return the kernel's start, relative to its block, and weights `[taps, samples a block]`.

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


def power(wave: Tensor) -> Tensor:
    """Return the mean square of every row, `[rows]`."""
    return wave.square().mean(-1)


def limit_peak(wave: Tensor) -> Tensor:
    """Turn down the rows that leave -1..1 until they just fit; nothing is clipped.

    The ratio of sound to noise in a row stays as it was.
    """
    return wave / wave.abs().amax(-1, keepdim=True).clamp_min(1.0)


def reverberate(wave: Tensor, responses: Tensor, direct: int) -> Tensor:
    """Convolve each row with its response; nothing is shifted in time, and power is kept.

    Sound after the end is cut off. Silence stays silent. The result may leave -1..1 (see
    `limit_peak`).

    Args:
        wave: `[rows, samples]`.
        responses: `[rows, taps]`.
        direct: the tap at which sound arrives on the straight path, in every response.
    """
    samples = wave.shape[-1]
    size = next_fast_len(samples + responses.shape[-1] - 1, real=True)
    spectrum = torch.fft.rfft(wave, size) * torch.fft.rfft(responses, size)
    heard = torch.fft.irfft(spectrum, size)[..., direct : direct + samples]
    after = power(heard)
    gain = torch.where(after > 0, power(wave) / after, 0.0).sqrt()
    kept: Tensor = gain[:, None] * heard
    return kept


def add_noise(wave: Tensor, noise: Tensor, ratio: Tensor) -> Tensor:
    """Add noise so that the sound is so many decibels above it.

    Silence gets no noise, as no ratio to it exists; noise without power adds nothing. The sum may
    leave -1..1 (see `limit_peak`).

    Args:
        wave: `[rows, samples]`.
        noise: `[rows, samples]`.
        ratio: of powers over the whole row, in dB, `[rows]`.
    """
    under = power(noise)
    wanted = power(wave) / 10 ** (ratio / 10)
    gain = torch.where(under > 0, wanted / under, 0.0).sqrt()
    return wave + gain[:, None] * noise


def mask_features(
    features: Tensor,
    declared: Input,
    augment: Augment,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Blank one band and one stretch of every example (SpecAugment, arXiv:1904.08779, s. 2).

    Args:
        features: `[batch, frames, bins]` or `[batch, 1, bins, frames]`, mean near zero.
        declared: the input, which decides the layout; other inputs come back as they are.
        augment: the widest band and the longest stretch; each width is uniform from 0.
        generator: of widths and places; None takes the device's own.

    Returns:
        Features of the same shape, masked cells set to 0.
    """
    if isinstance(declared, Fbank):
        frames, bins = -2, -1
    elif isinstance(declared, Spectrogram):
        frames, bins = -1, -2
    else:
        return features
    features = _mask_along(features, bins, augment.frequency_mask, generator)
    return _mask_along(features, frames, augment.time_mask, generator)


def _mask_along(
    features: Tensor, dimension: int, widest: int, generator: torch.Generator | None
) -> Tensor:
    if widest == 0:
        return features
    size, batch, device = features.shape[dimension], features.shape[0], features.device
    width = torch.randint(0, min(widest, size) + 1, (batch, 1), generator=generator, device=device)
    place = torch.rand(batch, 1, generator=generator, device=device)
    start = (place * (size - width + 1)).long()
    position = torch.arange(size, device=device)
    hidden = (position >= start) & (position < start + width)
    shape = [batch] + [1] * (features.dim() - 1)
    shape[dimension] = size
    return features.masked_fill(hidden.reshape(shape), 0.0)
