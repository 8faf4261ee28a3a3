"""From raw content to what a network wants, as its adapter declares it.

The filterbank computes what Kaldi's `compute-fbank-feats` computes (HTK mel scale, frames that
lie wholly inside the signal, offset removed per frame, pre-emphasis 0.97, power spectrum).
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.adapter import Fbank, Image, Input, Spectrogram, Vector
from harness.data.corpus import SAMPLE_RATE
from harness.errors import ConfigError

PRE_EMPHASIS = 0.97
LOG_FLOOR = float(np.finfo(np.float32).eps)
INT16_RANGE = 32768.0


class LogMel(nn.Module):
    """Log-mel filterbank: waveform `[batch, samples]` -> `[batch, frames, bins]`.

    Args:
        declared: window, scale, bank and frame of the filterbank.
    """

    window: Tensor
    bank: Tensor

    def __init__(self, declared: Fbank) -> None:
        super().__init__()
        self.declared = declared
        self.length = int(SAMPLE_RATE * declared.frame_length_ms / 1000)
        self.shift = int(SAMPLE_RATE * declared.frame_shift_ms / 1000)
        self.points = 2 ** math.ceil(math.log2(self.length))
        self.register_buffer("window", _window(declared.window, self.length), persistent=False)
        self.register_buffer("bank", _mel_bank(declared, self.points), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Compute the features; dither is added in training mode only."""
        scaled = waveform * self.declared.scale
        if self.training and self.declared.dither:
            scaled = scaled + self.declared.dither * torch.randn_like(scaled)
        frames = scaled.unfold(-1, self.length, self.shift)
        frames = frames - frames.mean(-1, keepdim=True)
        before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
        windowed = (frames - PRE_EMPHASIS * before) * self.window
        power = torch.fft.rfft(windowed, n=self.points).abs().square()
        features: Tensor = (power @ self.bank).clamp_min(LOG_FLOOR).log()
        return _centred(features) if self.declared.subtract_mean else features


class SpectrogramImage(nn.Module):
    """Normalised log-mel image: waveform `[batch, samples]` -> `[batch, 1, bins, frames]`."""

    def __init__(self, declared: Spectrogram) -> None:
        super().__init__()
        self.log_mel = LogMel(
            Fbank(
                bins=declared.bins,
                subtract_mean=False,
                frame_length_ms=declared.frame_length_ms,
                frame_shift_ms=declared.frame_shift_ms,
                low_hz=declared.low_hz,
                high_hz=declared.high_hz,
            )
        )

    def forward(self, waveform: Tensor) -> Tensor:
        """Compute the image."""
        features: Tensor = self.log_mel(waveform)
        deviation, mean = torch.std_mean(features, dim=(-2, -1), keepdim=True)
        return ((features - mean) / (deviation + 1e-5)).transpose(-2, -1).unsqueeze(1)


class Picture(nn.Module):
    """Grey levels 0..1 `[batch, height, width]` -> -1..1 `[batch, channels, size, size]`."""

    def __init__(self, declared: Image) -> None:
        super().__init__()
        self.declared = declared

    def forward(self, pixels: Tensor) -> Tensor:
        """Resize and centre."""
        side = (self.declared.size, self.declared.size)
        resized = nn.functional.interpolate(
            pixels.unsqueeze(1), side, mode="bilinear", align_corners=False, antialias=True
        )
        return (2 * resized - 1).expand(-1, self.declared.channels, -1, -1)


@singledispatch
def front_end(declared: Input) -> nn.Module:
    """The module that makes a declared input from raw batches.

    Raises:
        ConfigError: the input is of a kind this harness does not know.
    """
    raise ConfigError(f"unknown input declaration {declared!r}; see harness.adapter")


@front_end.register
def _(declared: Fbank) -> nn.Module:
    return LogMel(declared)


@front_end.register
def _(declared: Spectrogram) -> nn.Module:
    return SpectrogramImage(declared)


@front_end.register
def _(declared: Image) -> nn.Module:
    return Picture(declared)


@front_end.register
def _(declared: Vector) -> nn.Module:
    del declared
    return nn.Identity()


def raw_tensor(contents: list[NDArray[Any]]) -> Tensor:
    """Stack items of one shape to float32: int16 to -1..1, uint8 to 0..1.

    Raises:
        ConfigError: the items are not of one shape.
    """
    shapes = sorted({content.shape for content in contents})
    if len(shapes) > 1:
        raise ConfigError(
            f"items of shapes {shapes[0]} and {shapes[-1]} cannot share a batch; "
            "give the recipe `crop_seconds` (sounds), or a corpus of one size (pictures)"
        )
    stacked = np.stack(contents)
    if stacked.dtype == np.int16:
        return torch.from_numpy(stacked.astype(np.float32) / np.float32(INT16_RANGE))
    if stacked.dtype == np.uint8:
        return torch.from_numpy(stacked.astype(np.float32) / np.float32(255))
    return torch.from_numpy(stacked.astype(np.float32))


def frame_count(declared: Input, samples: int) -> int:
    """Frames of a waveform: items with as many frames can share a batch without padding."""
    if not isinstance(declared, Fbank | Spectrogram):
        return samples
    length = int(SAMPLE_RATE * declared.frame_length_ms / 1000)
    shift = int(SAMPLE_RATE * declared.frame_shift_ms / 1000)
    return 1 + (samples - length) // shift if samples >= length else 0


def samples_for(declared: Input, frames: int) -> int:
    """Samples that give exactly so many frames."""
    if not isinstance(declared, Fbank | Spectrogram):
        return frames
    length = int(SAMPLE_RATE * declared.frame_length_ms / 1000)
    return length + (frames - 1) * int(SAMPLE_RATE * declared.frame_shift_ms / 1000)


def _centred(features: Tensor) -> Tensor:
    return features - features.mean(-2, keepdim=True)


def _window(name: str, length: int) -> Tensor:
    phase = 2 * math.pi * np.arange(length) / (length - 1)
    shapes = {
        "hamming": 0.54 - 0.46 * np.cos(phase),
        "hanning": 0.5 - 0.5 * np.cos(phase),
        "povey": (0.5 - 0.5 * np.cos(phase)) ** 0.85,
        "rectangular": np.ones(length),
    }
    return torch.from_numpy(shapes[name].astype(np.float32))


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))


def _mel_bank(declared: Fbank, points: int) -> Tensor:
    high = declared.high_hz if declared.high_hz > 0 else SAMPLE_RATE / 2 + declared.high_hz
    edges = np.linspace(_mel(declared.low_hz), _mel(high), declared.bins + 2)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequency = _mel(np.arange(points // 2) * SAMPLE_RATE / points)[None]
    rising = (frequency - lower) / (centre - lower)
    falling = (upper - frequency) / (upper - centre)
    weights = np.clip(np.minimum(rising, falling), 0, None)
    # Kaldi leaves the bin at half the sample rate out of every filter.
    return torch.from_numpy(np.pad(weights, ((0, 0), (0, 1))).T.astype(np.float32).copy())
