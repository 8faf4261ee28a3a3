"""Front ends: from raw content to a network's input, as its adapter declares it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.adapter import Fbank, Image, Input, Spectrogram, TfMel, Vector, Vectors
from harness.data.corpus import SAMPLE_RATE
from harness.errors import ConfigError
from harness.feeding.log_mel import LogMel
from harness.feeding.tf_mel import TfLogMel

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


class PictureFrontEnd(nn.Module):
    """Pictures of levels 0..1 -> `[batch, channels, size, size]`, normalised.

    They are grey, `[batch, height, width]`, or in colour, `[batch, height, width, 3]`.
    """

    def __init__(self, declared: Image) -> None:
        super().__init__()
        self.declared = declared

    def forward(self, pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Resize and normalise; nothing in it is random."""
        del generator
        planes = channel_planes(pixels, self.declared.channels)
        resized = nn.functional.interpolate(
            planes,
            resized_sides(self.declared, planes.shape[-2], planes.shape[-1]),
            mode=self.declared.interpolation,
            align_corners=False,
            antialias=True,
        )
        return normalised(self.declared, middle_square(self.declared, resized))


def channel_planes(pixels: Tensor, channels: int) -> Tensor:
    """Return pictures as `[batch, planes, height, width]`.

    Grey ones have one plane, and those in colour three; a network of one channel sees the grey
    of a colour by the weights of ITU-R BT.601, as Pillow does.
    """
    if pixels.dim() == 3:
        return pixels.unsqueeze(1)
    planes = pixels.movedim(-1, 1)
    if channels > 1:
        return planes
    red, green, blue = (planes[:, place : place + 1] for place in range(3))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def resized_sides(declared: Image, height: int, width: int) -> tuple[int, int]:
    """Return height and width to which a picture is resized, before its middle is taken.

    >>> resized_sides(Image(size=64), 30, 40), resized_sides(Image(size=224, crop=0.875), 30, 40)
    ((64, 64), (256, 341))
    """
    size = declared.size
    if declared.crop is None:
        return size, size
    shorter = int(size / declared.crop)
    return tuple(  # type: ignore[return-value]
        max(size, shorter * side // min(height, width)) for side in (height, width)
    )


def middle_square(declared: Image, resized: Tensor) -> Tensor:
    """Return the square in the middle of resized pictures `[..., height, width]`."""
    size = declared.size
    top, left = ((side - size + 1) // 2 for side in resized.shape[-2:])
    return resized[..., top : top + size, left : left + size]


def normalised(declared: Image, planes: Tensor) -> Tensor:
    """Return planes `[batch, 1 or channels, ...]` as all channels, normalised."""
    if (declared.mean, declared.deviation) == ((0.5,), (0.5,)):
        return (2 * planes - 1).expand(-1, declared.channels, -1, -1)
    mean, deviation = (
        torch.tensor(values, dtype=planes.dtype, device=planes.device).view(-1, 1, 1)
        for values in (declared.mean, declared.deviation)
    )
    return ((planes - mean) / deviation).expand(-1, declared.channels, -1, -1)


class AsItIs(nn.Module):
    """Vectors, `[batch, size]` or `[batch, frames, size]`, that a network takes as they are."""

    def __init__(self, declared: Vector | Vectors) -> None:
        super().__init__()
        del declared

    def forward(self, vectors: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Hand them on; nothing in it is random."""
        del generator
        return vectors


FRONT_ENDS: dict[type[Input], Callable[[Any], nn.Module]] = {
    TfMel: TfLogMel,  # before `Fbank`, which it is one of
    Fbank: LogMel,
    Spectrogram: SpectrogramImage,
    Image: PictureFrontEnd,
    Vector: AsItIs,
    Vectors: AsItIs,
}


def front_end(declared: Input) -> nn.Module:
    """Return the module that makes a declared input from raw batches.

    Raises:
        ConfigError: the input is of a kind this harness does not know.
    """
    for kind, module in FRONT_ENDS.items():
        if isinstance(declared, kind):
            return module(declared)
    raise ConfigError(f"unknown input declaration {declared!r}; see harness.adapter")


def raw_shape(declared: Input, seconds: float) -> tuple[int, ...]:
    """Return the shape of one raw item of a declared input; a sound has so many seconds."""
    if isinstance(declared, Image):
        return (declared.size, declared.size)
    if isinstance(declared, Vector):
        return (declared.size,)
    if isinstance(declared, Vectors):
        return (declared.frames, sum(declared.sizes))
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
    return float_tensor(np.stack(contents))


def float_tensor(values: NDArray[Any]) -> Tensor:
    """Convert to float32: int16 to -1..1, uint8 to 0..1, other types as they are."""
    scales: dict[type, float] = {np.int16: INT16_RANGE, np.uint8: 255.0}
    scale = np.float32(scales.get(values.dtype.type, 1.0))
    return torch.from_numpy(values.astype(np.float32) / scale)
