"""Attentive statistics pooling: frames count for as much as the network finds in them.

Okabe et al., "Attentive Statistics Pooling for Deep Speaker Embedding", Interspeech 2018,
arXiv:1803.10963; a weight for every channel and the utterance's context are ECAPA-TDNN's
(Desplanques et al., 2020, arXiv:2005.07143, section 3.1).

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import StatisticsPooling


class AttentiveStatisticsPooling(nn.Module):
    """Weighs the frames of every channel, then takes weighted means and standard deviations.

    Equations 1 to 4 of arXiv:2005.07143, with tanh as the nonlinearity. With `global_context` the
    weights see the utterance's mean and standard deviation beside the frame.
    """

    def __init__(
        self, channels: int, *, bottleneck: int = 128, global_context: bool = False
    ) -> None:
        """Builds the attention.

        Args:
            channels: Features of a frame: channels times bins where the input has both.
            bottleneck: Channels of the attention's hidden layer.
            global_context: Whether the attention sees the utterance's statistics.
        """
        super().__init__()
        self.context = StatisticsPooling() if global_context else None
        self.linear1 = nn.Conv1d(3 * channels if global_context else channels, bottleneck, 1)
        self.linear2 = nn.Conv1d(bottleneck, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Pools over the last axis.

        Args:
            features: `[batch, channels, frames]` or `[batch, channels, bins, frames]`.

        Returns:
            `[batch, 2 * channels]` or `[batch, 2 * channels * bins]`: all means, then all standard
            deviations.

        Raises:
            ValueError: With fewer than two frames and a global context, which then has no variance.
        """
        frames = features.flatten(1, -2)
        hidden = torch.tanh(self._hidden(frames))
        return weighted_statistics(frames, torch.softmax(self.linear2(hidden), dim=-1))

    def _hidden(self, frames: Tensor) -> Tensor:
        """The hidden layer before its nonlinearity: `[batch, bottleneck, frames]`."""
        if self.context is None:
            hidden: Tensor = self.linear1(frames)
            return hidden
        channels = frames.shape[1]
        own, shared = torch.split(self.linear1.weight, [channels, 2 * channels], dim=1)
        # The context is the same at every frame: multiplied once, not once a frame.
        shift = functional.linear(self.context(frames), shared.squeeze(-1), self.linear1.bias)
        return functional.conv1d(frames, own) + shift.unsqueeze(-1)


def weighted_statistics(frames: Tensor, weights: Tensor) -> Tensor:
    """Means and standard deviations over time under weights.

    Equations 5 and 6 of arXiv:1803.10963. The variance is not let fall under 1e-7, so that the
    root has a finite gradient, as in WeSpeaker's networks.

    Args:
        frames: `[batch, channels, frames]`.
        weights: The same shape; they sum to one over the frames.

    Returns:
        `[batch, 2 * channels]`: all means, then all standard deviations.
    """
    weighted = weights * frames
    mean = weighted.sum(dim=-1)
    variance = (weighted * frames).sum(dim=-1) - mean.square()
    return torch.cat((mean, variance.clamp(min=1e-7).sqrt()), dim=1)
