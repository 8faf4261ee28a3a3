"""The filterbank: what Kaldi's `compute-fbank-feats` computes.

HTK mel scale, frames that lie wholly inside the signal, offset removed per frame, pre-emphasis
0.97, power spectrum.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.adapter import Fbank
from harness.data.corpus import SAMPLE_RATE

PRE_EMPHASIS = 0.97
FRAMES_AT_A_TIME = 256
"""On a processor: their spectra stay in its cache, which halves the time of a large batch."""
LOG_FLOOR = float(np.finfo(np.float32).eps)


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

    def forward(self, waveform: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Compute the features; dither is added in training mode only.

        Args:
            waveform: `[batch, samples]`, in -1..1.
            generator: of the dither; the device's own where there is none.
        """
        scaled = waveform * self.declared.scale
        if self.training and self.declared.dither:
            scaled += self.declared.dither * _normal(scaled, generator)
        rows = torch.split(scaled, self._rows_at_a_time(scaled))
        parts = [self._features(part) for part in rows]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _features(self, scaled: Tensor) -> Tensor:
        frames = scaled.unfold(-1, self.length, self.shift)
        frames = frames - frames.mean(-1, keepdim=True)
        padded = frames.new_zeros((*frames.shape[:-1], self.points))
        windowed = padded[..., : self.length]
        # The sample before a frame's first is taken to be the first itself.
        torch.mul(frames[..., :1], PRE_EMPHASIS, out=windowed[..., :1])
        torch.mul(frames[..., :-1], PRE_EMPHASIS, out=windowed[..., 1:])
        torch.sub(frames, windowed, out=windowed).mul_(self.window)
        power = torch.fft.rfft(padded).abs().square_()
        features = (power @ self.bank).clamp_min_(LOG_FLOOR).log_()
        return _centred(features) if self.declared.subtract_mean else features

    def _rows_at_a_time(self, scaled: Tensor) -> int:
        if scaled.device.type != "cpu":
            return max(1, len(scaled))
        frames = 1 + (scaled.shape[-1] - self.length) // self.shift
        return max(1, FRAMES_AT_A_TIME // max(1, frames))


def _normal(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)


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
