"""What is done to training inputs at random, on features."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.adapter import Fbank, Input, Spectrogram
from harness.config.recipe_tables import Augment


def masked(
    features: Tensor,
    declared: Input,
    augment: Augment,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Blank one band and one stretch of every example (SpecAugment, arXiv:1904.08779, s. 2).

    Args:
        features: `[batch, frames, bins]` or `[batch, 1, bins, frames]`, mean near zero.
        declared: which of the two it is; other inputs come back as they are.
        augment: the widest band and the longest stretch; each width is uniform from 0.
        generator: of widths and places; the device's own where there is none.

    Returns:
        Features of the same shape, masked cells set to 0.
    """
    if isinstance(declared, Fbank):
        frames, bins = -2, -1
    elif isinstance(declared, Spectrogram):
        frames, bins = -1, -2
    else:
        return features
    features = _masked_along(features, bins, augment.frequency_mask, generator)
    return _masked_along(features, frames, augment.time_mask, generator)


def _masked_along(
    features: Tensor, dimension: int, widest: int, generator: torch.Generator | None
) -> Tensor:
    if widest == 0:
        return features
    size, batch, device = features.shape[dimension], features.shape[0], features.device
    width = torch.randint(0, min(widest, size) + 1, (batch, 1), generator=generator, device=device)
    place = torch.rand(batch, 1, generator=generator, device=device)
    start = (place * (size - width + 1)).long()
    position = torch.arange(size, device=device)
    hidden = (position >= start) & (position < start + width)
    shape = [batch] + [1] * (features.dim() - 1)
    shape[dimension] = size
    return features.masked_fill(hidden.reshape(shape), 0.0)
