"""Sound put into a room by the room's impulse response."""

from __future__ import annotations

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from harness.feeding.waveform.level import power


def reverberated(wave: Tensor, responses: Tensor, direct: int) -> Tensor:
    """Convolve each row with its response; nothing is shifted in time, and power is kept.

    What would sound on after the end is cut off. Silence stays silent. The result may leave -1..1
    (see `limited`).

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
