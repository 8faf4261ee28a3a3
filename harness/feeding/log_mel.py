"""Log-mel filterbanks as Kaldi computes them, a batch at a time."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.adapter import Fbank
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.lengths import frame_samples

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
        bank = mel_bank(declared, self.points, self._spacing)
        self.register_buffer("bank", bank, persistent=False)

    @property
    def _spacing(self) -> float:
        """Hertz between the points of a spectrum."""
        return float(SAMPLE_RATE / self.points)

    def prepare(self, waveform: Tensor) -> Tensor:
        """Return the waveform that is cut into frames."""
        return waveform

    def forward(self, waveform: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Compute the features; dither is added in training mode only.

        Args:
            waveform: `[batch, samples]`, in -1..1.
            generator: of the dither; None takes the device's own.
        """
        scaled = self.prepare(waveform) * self.declared.scale
        if self.training and self.declared.dither:
            shape, device = scaled.shape, scaled.device
            normal = torch.randn(shape, generator=generator, device=device, dtype=scaled.dtype)
            scaled += self.declared.dither * normal
        if scaled.device.type != "cpu":
            return self.in_blocks(scaled)
        frames = 1 + (scaled.shape[-1] - self.length) // self.shift
        rows = torch.split(scaled, max(1, FRAMES_AT_A_TIME // max(1, frames)))
        parts = [self.centre(self._log_mel(self._frames(part))) for part in rows]
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
        return self.centre(features.view(rows, places, -1))

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
        return self.compress(torch.fft.rfft(padded).abs().square_())

    def compress(self, power: Tensor) -> Tensor:
        """Map power spectra `[..., points / 2 + 1]` to log energies `[..., bins]`."""
        features: Tensor = (power @ self.bank).clamp_min(LOG_FLOOR).log()
        return features

    def centre(self, features: Tensor) -> Tensor:
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


def mel_bank(declared: Fbank, points: int, spacing: float) -> Tensor:
    """Return triangular filters, `[points / 2 + 1, bins]`.

    Args:
        declared: their number and edges.
        points: of the transform.
        spacing: hertz from one point of a spectrum to the next.
    """
    high = declared.high_hz if declared.high_hz > 0 else SAMPLE_RATE / 2 + declared.high_hz
    edges = np.linspace(_mel(declared.low_hz), _mel(high), declared.bins + 2)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequency = _mel(np.arange(points // 2, dtype=np.float64) * spacing)[None]
    rising = (frequency - lower) / (centre - lower)
    falling = (upper - frequency) / (upper - centre)
    weights = np.clip(np.minimum(rising, falling), 0, None)
    # Kaldi leaves the bin at half the sample rate out of every filter.
    return torch.from_numpy(np.pad(weights, ((0, 0), (0, 1))).T.astype(np.float32).copy())
