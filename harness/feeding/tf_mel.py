"""Log-mel filterbanks of ReDimNet, a batch at a time."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from harness.data.corpus import SAMPLE_RATE
from harness.datasets.lengths import padding
from harness.feeding.log_mel import PRE_EMPHASIS, LogMel

FLOOR = 1e-8
"""Least power, least energy, and what is added to each energy; its inverse bounds both."""


class TfLogMel(LogMel):
    """Log-mel filterbank: waveform `[batch, samples]` -> `[batch, frames, bins]`.

    It computes what `TFMelBanks` of PalabraAI's ReDimNet2 does, `norm_signal` and `do_preemph` on.
    """

    @property
    def _spacing(self) -> float:
        """Hertz between the points of a spectrum, if the last one left is half the sample rate."""
        return float(SAMPLE_RATE / 2 / (self.points // 2 - 1))

    def prepare(self, waveform: Tensor) -> Tensor:
        """Return the waveform of mean 0 and variance 1, pre-emphasised, between zeros.

        The sample before its first is taken to be its second.
        """
        centred = waveform - waveform.mean(-1, keepdim=True)
        even = centred / (centred.square().mean(-1, keepdim=True).sqrt() + FLOOR)
        before = torch.cat([even[..., 1:2], even[..., :-1]], dim=-1)
        zeros = padding(self.declared)
        return functional.pad(even - PRE_EMPHASIS * before, (zeros, zeros))

    def _log_mel(self, frames: Tensor) -> Tensor:
        """Map frames `[..., length]` to `[..., bins]`."""
        padded = functional.pad(frames * self.window, (0, self.points - self.length))
        return self.compress(torch.fft.rfft(padded).abs().square())

    def compress(self, power: Tensor) -> Tensor:
        """Map power spectra `[..., points / 2 + 1]` to log energies `[..., bins]`."""
        energies = power.clamp(FLOOR, 1 / FLOOR) @ self.bank
        return (energies.clamp(FLOOR, 1 / FLOOR) + FLOOR).log()
