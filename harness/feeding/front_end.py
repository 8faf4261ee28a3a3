"""From raw content to what a network wants, as its adapter declares it."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.adapter import Fbank, Image, Input, Spectrogram, Vector
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.frames import frame_count, samples_for
from harness.errors import ConfigError
from harness.feeding.log_mel import LogMel

__all__ = [
    "AsItIs",
    "Picture",
    "SpectrogramImage",
    "frame_count",
    "front_end",
    "raw_shape",
    "raw_tensor",
    "samples_for",
]

INT16_RANGE = 32768.0


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

    def forward(self, waveform: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Compute the image; nothing in it is random."""
        features: Tensor = self.log_mel(waveform, generator)
        deviation, mean = torch.std_mean(features, dim=(-2, -1), keepdim=True)
        return ((features - mean) / (deviation + 1e-5)).transpose(-2, -1).unsqueeze(1)


class Picture(nn.Module):
    """Grey levels 0..1 `[batch, height, width]` -> -1..1 `[batch, channels, size, size]`."""

    def __init__(self, declared: Image) -> None:
        super().__init__()
        self.declared = declared

    def forward(self, pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Resize and centre; nothing in it is random."""
        del generator
        side = (self.declared.size, self.declared.size)
        resized = nn.functional.interpolate(
            pixels.unsqueeze(1), side, mode="bilinear", align_corners=False, antialias=True
        )
        return (2 * resized - 1).expand(-1, self.declared.channels, -1, -1)


class AsItIs(nn.Module):
    """Vectors `[batch, size]` that a network takes as they are."""

    def forward(self, vectors: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Hand them on; nothing in it is random."""
        del generator
        return vectors


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
    return AsItIs()


def raw_shape(declared: Input, seconds: float) -> tuple[int, ...]:
    """Shape of one raw item, as far as its network tells: a sound's is by its length."""
    if isinstance(declared, Image):
        return (declared.size, declared.size)
    if isinstance(declared, Vector):
        return (declared.size,)
    return (round(seconds * SAMPLE_RATE),)


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
