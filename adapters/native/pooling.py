"""Temporal statistics pooling: from a sequence of frames to one vector an utterance."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StatisticsPooling(nn.Module):
    """Concatenates the mean and the standard deviation over time of every feature.

    The pooling of the x-vector (Snyder et al., 2018). The variance is the unbiased one (divided by
    `frames - 1`) and `floor` is added to it under the root, as in WeSpeaker's networks.
    """

    def __init__(self, *, floor: float = 1e-7) -> None:
        """Sets the variance floor.

        Args:
            floor: Added to the variance, so that the root has a finite gradient at a constant
                feature.
        """
        super().__init__()
        self.floor = floor

    def forward(self, features: Tensor) -> Tensor:
        """Pools over the last axis.

        Args:
            features: `[batch, channels, frames]` or `[batch, channels, bins, frames]`.

        Returns:
            `[batch, 2 * channels]` or `[batch, 2 * channels * bins]`: all means, then all standard
            deviations.

        Raises:
            ValueError: With fewer than two frames, which have no unbiased variance.
        """
        frames = features.shape[-1]
        if frames < 2:
            raise ValueError(
                f"statistics pooling needs at least 2 frames after the network's strides, "
                f"got {frames}: the utterance is too short"
            )
        variance, mean = torch.var_mean(features, dim=-1, correction=1)
        deviation = torch.sqrt(variance + self.floor)
        return torch.cat((mean.flatten(1), deviation.flatten(1)), dim=1)
