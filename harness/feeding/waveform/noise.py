"""Noise added at a ratio."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.feeding.waveform.level import power


def with_noise(wave: Tensor, noise: Tensor, ratio: Tensor) -> Tensor:
    """Add noise so that the sound is so many decibels above it.

    Silence gets no noise, as no ratio to it exists; noise without power adds nothing. The sum may
    leave -1..1 (see `limited`).

    Args:
        wave: `[rows, samples]`.
        noise: `[rows, samples]`.
        ratio: of powers over the whole row, in dB, `[rows]`.
    """
    under = power(noise)
    wanted = power(wave) / 10 ** (ratio / 10)
    gain = torch.where(under > 0, wanted / under, 0.0).sqrt()
    return wave + gain[:, None] * noise
