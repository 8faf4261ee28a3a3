"""Front ends: from raw content to a network's input, as its adapter declares it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.adapter import Fbank, Image, Input, Spectrogram, Vector, Vectors
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.lengths import frame_samples
from harness.errors import ConfigError

INT16_RANGE = 32768.0

PRE_EMPHASIS = 0.97

FRAMES_AT_A_TIME = 256
"""On a processor: their spectra stay in its cache, which halves the time of a large batch."""

BLOCK = 4096
"""Frames that a GPU transforms at a time, always as many.

Each other number would be one more plan of cuFFT, kept in memory that the allocator does not see.
"""

LOG_FLOOR = float(np.finfo(np.float32).eps)


class LogMel(nn.Module):
    """Log-mel filterbank: waveform `[batch, samples]` -> `[batch, frames, bins]`.

    It computes what Kaldi's `compute-fbank-feats` does: HTK mel scale, frames that lie wholly
    inside the signal, offset removed per frame, pre-emphasis 0.97, power spectrum.

    Args:
        declared: window, scale, bank and frame of the filterbank.
    """

    window: Tensor
    bank: Tensor

    def __init__(self, declared: Fbank) -> None:
        super().__init__()
        self.declared = declared
        self.length, self.shift = frame_samples(declared)
        self.points = 2 ** math.ceil(math.log2(self.length))
        self.register_buffer("window", _window(declared.window, self.length), persistent=False)
        self.register_buffer("bank", _mel_bank(declared, self.points), persistent=False)

    def forward(self, waveform: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Compute the features; dither is added in training mode only.

        Args:
            waveform: `[batch, samples]`, in -1..1.
            generator: of the dither; None takes the device's own.
        """
        scaled = waveform * self.declared.scale
        if self.training and self.declared.dither:
            shape, device = scaled.shape, scaled.device
            normal = torch.randn(shape, generator=generator, device=device, dtype=scaled.dtype)
            scaled += self.declared.dither * normal
        if scaled.device.type != "cpu":
            return self.in_blocks(scaled)
        frames = 1 + (scaled.shape[-1] - self.length) // self.shift
        rows = torch.split(scaled, max(1, FRAMES_AT_A_TIME // max(1, frames)))
        parts = [self._centre(self._log_mel(self._frames(part))) for part in rows]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def in_blocks(self, scaled: Tensor) -> Tensor:
        """Compute the features of a scaled waveform in blocks of `BLOCK` frames, whatever its size.

        The last block is filled up with repetitions of the last frame.
        """
        frames = self._frames(scaled)
        rows, places = frames.shape[0], frames.shape[1]
        features = scaled.new_empty((rows * places, self.bank.shape[1]))
        starts = range(0, len(features), BLOCK)
        # Without numbers the first block stands for all: each gives back what it takes.
        for start in starts[:1] if scaled.is_meta else starts:
            self._fill_block(features, frames, start)
        return self._centre(features.view(rows, places, -1))

    def _fill_block(self, features: Tensor, frames: Tensor, start: int) -> None:
        """Compute the features of `BLOCK` frames from one on; `features` is `[frames, bins]`."""
        wanted = torch.arange(start, start + BLOCK, device=frames.device)
        wanted.clamp_(max=len(features) - 1)
        block = self._log_mel(frames[wanted // frames.shape[1], wanted % frames.shape[1]])
        features[start : start + BLOCK] = block[: len(features) - start]

    def _frames(self, scaled: Tensor) -> Tensor:
        """Return views of a waveform's frames, `[batch, frames, length]`."""
        return scaled.unfold(-1, self.length, self.shift)

    def _log_mel(self, frames: Tensor) -> Tensor:
        """Map frames `[..., length]` to `[..., bins]`."""
        frames = frames - frames.mean(-1, keepdim=True)
        padded = frames.new_zeros((*frames.shape[:-1], self.points))
        windowed = padded[..., : self.length]
        # The sample before a frame's first is taken to be the first itself.
        torch.mul(frames[..., :1], PRE_EMPHASIS, out=windowed[..., :1])
        torch.mul(frames[..., :-1], PRE_EMPHASIS, out=windowed[..., 1:])
        torch.sub(frames, windowed, out=windowed).mul_(self.window)
        power = torch.fft.rfft(padded).abs().square_()
        features: Tensor = (power @ self.bank).clamp_min_(LOG_FLOOR).log_()
        return features

    def _centre(self, features: Tensor) -> Tensor:
        """Take the mean of each item off, where that is declared."""
        if not self.declared.subtract_mean:
            return features
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
