"""Measured facts of one sound: how long, how loud, how noisy, clipped or cut off in frequency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.data.audio import read_audio, read_channels, resample
from harness.data.corpus import SAMPLE_RATE, DamagedItem, Samples
from harness.data.levels import FULL_SCALE
from harness.errors import RequestError

FRAME, SHIFT = 400, 160
"""Samples of a frame, and between frames: 25 ms and 10 ms."""

BELOW_LOUD = 30.0
"""dB below the loud frames within which a frame counts as speech."""

SILENT_FRAME = -70.0
"""dBFS below which no frame counts as speech."""

FLOOR = -100.0
"""dBFS of digital silence; 16 bits reach -98."""

HIGH = 5_000
"""Hz from which on frequencies count as high: sound recorded at 8 kHz has none of them."""

FLAT, AT_PEAK = 3, 0.998
"""Samples in a row, all above this share of the peak, that count as clipped."""


class SoundFacts(BaseModel):
    """Facts of one sound.

    Attributes:
        seconds: its length.
        rate, channels: of the file.
        speech_seconds: length of the frames within 30 dB of its loud ones.
        level_db: of these frames, in dBFS.
        range_db: between its loud frames and its quiet ones (percentiles 95 and 10): at most the
            ratio of speech to noise.
        high_db: energy above 5 kHz over all energy of speech.
        clipped: share of samples in runs of three or more at the peak.
        channels_alike: the least correlation of the first channel with another; 1 of mono.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    rate: int
    channels: int
    speech_seconds: float
    level_db: float
    range_db: float
    high_db: float
    clipped: float
    channels_alike: float


def read_sound(path: Path) -> tuple[Samples, SoundFacts]:
    """Read a file of any rate and number of channels as corpora are read, and measure it.

    Returns:
        int16 `[samples]` at 16 kHz, the mean of the channels; and the facts of the file.

    Raises:
        RequestError: it cannot be decoded, or is silent throughout.
    """
    try:
        levels, rate = read_channels(path)
        samples = read_audio(path, convert=True)
    except DamagedItem as error:
        raise RequestError(f"{path}: {error}") from error
    return samples, measure_sound(levels, rate)


def measure_sound(levels: NDArray[Any], rate: int) -> SoundFacts:
    """Measure a sound.

    Args:
        levels: `[samples, channels]`, on the scale of int16.
        rate: samples a second.
    """
    wide = levels.astype(np.float64)
    mono = resample(wide.mean(axis=1), rate)
    frames = _frames(mono)
    power = np.square(frames).mean(axis=1) / FULL_SCALE**2
    decibels = 10 * np.log10(np.maximum(power, 10 ** (FLOOR / 10)))
    loud, quiet = np.percentile(decibels, [95, 10])
    speech = (decibels >= loud - BELOW_LOUD) & (decibels >= SILENT_FRAME)
    level = 10 * np.log10(power[speech].mean()) if speech.any() else FLOOR
    return SoundFacts(
        seconds=len(wide) / rate,
        rate=rate,
        channels=wide.shape[1],
        speech_seconds=float(speech.sum() * SHIFT / SAMPLE_RATE),
        level_db=float(level),
        range_db=float(loud - quiet),
        high_db=_high_share(frames[speech]) if speech.any() else FLOOR,
        clipped=max(clipped_share(channel) for channel in wide.T),
        channels_alike=_least_correlation(wide),
    )


def clipped_share(samples: NDArray[np.floating[Any]]) -> float:
    """Return the share of samples that lie in runs at the peak of `[samples]`.

    A waveform touches its peak for a sample or two; one that was cut off stays there.

    >>> clipped_share(np.array([0.0, 5.0, 5.0, 5.0, 0.0, -5.0, 0.0, 1.0]))
    0.375
    """
    height = np.abs(samples)
    peak = height.max(initial=0.0)
    if peak == 0:
        return 0.0
    at_peak = np.sign(samples) * (height >= AT_PEAK * peak)
    starts = np.flatnonzero(np.diff(at_peak, prepend=0))
    lengths = np.diff(np.append(starts, len(samples)))
    runs = lengths[(at_peak[starts] != 0) & (lengths >= FLAT)]
    return float(runs.sum() / len(samples))


def _frames(mono: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return frames `[frames, FRAME]`; a shorter sound is one frame, filled up with zeros."""
    padded = np.pad(mono, (0, max(0, FRAME - len(mono))))
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::SHIFT]


def _high_share(frames: NDArray[np.float64]) -> float:
    spectrum = np.square(np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1))).sum(axis=0)
    first = round(HIGH * FRAME / SAMPLE_RATE)
    share = spectrum[first:].sum() / max(spectrum.sum(), np.finfo(float).tiny)
    return float(10 * np.log10(max(share, 10 ** (FLOOR / 10))))


def _least_correlation(levels: NDArray[np.float64]) -> float:
    """Return the least correlation of the first channel with another, of `[samples, channels]`."""
    centred = levels - levels.mean(axis=0)
    sizes = np.sqrt(np.square(centred).sum(axis=0))
    if levels.shape[1] == 1 or not sizes.all():
        return 1.0 if levels.shape[1] == 1 else 0.0
    return float((centred[:, :1] * centred[:, 1:]).sum(axis=0).min() / (sizes[0] * sizes[1:].max()))
