"""Poolings: from a sequence of frames to one vector an utterance.

- Temporal statistics: the x-vector's (Snyder et al., 2018).
- Attentive statistics, frames counting for as much as the network finds in them: Okabe et al.,
  "Attentive Statistics Pooling for Deep Speaker Embedding", Interspeech 2018, arXiv:1803.10963; a
  weight for every channel and the utterance's context are ECAPA-TDNN's (Desplanques et al., 2020,
  arXiv:2005.07143, section 3.1).
- Several queries and heads of it: Zhao et al., "Multi-Query Multi-Head Attention Pooling and
  Inter-TopK Penalty for Speaker Verification", ICASSP 2022, arXiv:2110.05042.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load. Every
pooling maps `[batch, channels, frames]` or `[batch, channels, bins, frames]` to one vector; the
features of a frame are channels times bins if the input has both.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional


class StatisticsPooling(nn.Module):
    """Concatenates the mean and the standard deviation over time of every feature.

    The variance is the unbiased one (divided by `frames - 1`) and `floor` is added to it under the
    root, as in WeSpeaker's networks.
    """

    def __init__(self, *, floor: float = 1e-7) -> None:
        """Set the variance floor.

        Args:
            floor: added to the variance, so that the root has a finite gradient at a constant
                feature.
        """
        super().__init__()
        self.floor = floor

    def forward(self, features: Tensor) -> Tensor:
        """Pool over the last axis.

        Returns:
            `[batch, 2 * features]`: all means, then all standard deviations.

        Raises:
            ValueError: fewer than two frames, which have no unbiased variance.
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


class AttentiveStatisticsPooling(nn.Module):
    """Weighs the frames of every channel, then takes weighted means and standard deviations.

    Equations 1 to 4 of arXiv:2005.07143, with tanh as the nonlinearity. With `global_context` the
    weights see the utterance's mean and standard deviation beside the frame.
    """

    def __init__(
        self, channels: int, *, bottleneck: int = 128, global_context: bool = False
    ) -> None:
        """Build the attention.

        Args:
            channels: features of a frame.
            bottleneck: channels of the attention's hidden layer.
            global_context: whether the attention sees the utterance's statistics.
        """
        super().__init__()
        self.context = StatisticsPooling() if global_context else None
        self.linear1 = nn.Conv1d(3 * channels if global_context else channels, bottleneck, 1)
        self.linear2 = nn.Conv1d(bottleneck, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Pool over the last axis.

        Returns:
            `[batch, 2 * features]`: all means, then all standard deviations.

        Raises:
            ValueError: fewer than two frames and a global context, which then has no variance.
        """
        frames = features.flatten(1, -2)
        hidden = torch.tanh(self._hidden(frames))
        return statistics_under_weights(frames, torch.softmax(self.linear2(hidden), dim=-1))

    def _hidden(self, frames: Tensor) -> Tensor:
        """Return the hidden layer before its nonlinearity: `[batch, bottleneck, frames]`."""
        if self.context is None:
            hidden: Tensor = self.linear1(frames)
            return hidden
        channels = frames.shape[1]
        own, shared = torch.split(self.linear1.weight, [channels, 2 * channels], dim=1)
        # The context is the same at every frame: multiplied once, not once a frame.
        shift = functional.linear(self.context(frames), shared.squeeze(-1), self.linear1.bias)
        return functional.conv1d(frames, own) + shift.unsqueeze(-1)


class MultiQueryPooling(nn.Module):
    """Several multi-head poolings of the same frames, one beside the other."""

    def __init__(
        self, channels: int, *, queries: int = 2, heads: int = 8, bottleneck: int = 64
    ) -> None:
        """Build the queries.

        Args:
            channels: features of a frame.
            queries: attentions a head has.
            heads: groups that the features are cut into.
            bottleneck: channels of an attention's hidden layer.

        Raises:
            ValueError: `heads` does not divide `channels`.
        """
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} features of a frame cannot be cut into {heads} heads")
        self.n_query = nn.ModuleList(
            MultiHeadPooling(channels, heads=heads, bottleneck=bottleneck) for _ in range(queries)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Pool over the last axis.

        Returns:
            `[batch, 2 * queries * features]`: query by query, and in each head by head, means
            before standard deviations.
        """
        frames = features.flatten(1, -2)
        return torch.cat([query(frames) for query in self.n_query], dim=1)


class MultiHeadPooling(nn.Module):
    """Cuts the features into heads, and pools each by an attention of its own.

    A head weighs every one of its features by itself (vector-based attention; Wu et al., 2020).
    """

    def __init__(self, channels: int, *, heads: int, bottleneck: int) -> None:
        """Build one attention a head; see `MultiQueryPooling` for the arguments."""
        super().__init__()
        width = channels // heads
        self.heads_att_trans = nn.ModuleList(_attention(width, bottleneck) for _ in range(heads))

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, channels, frames]` to `[batch, 2 * channels]`."""
        groups = frames.chunk(len(self.heads_att_trans), dim=1)
        pooled = [
            statistics_under_weights(group, torch.softmax(attention(group), dim=-1))
            for attention, group in zip(self.heads_att_trans, groups, strict=True)
        ]
        return torch.cat(pooled, dim=1)


def _attention(width: int, bottleneck: int) -> nn.Sequential:
    """Build the scores of every feature at every frame, in two layers."""
    first, second = nn.Conv1d(width, bottleneck, 1), nn.Conv1d(bottleneck, width, 1)
    return nn.Sequential(OrderedDict(att_0=first, tanh0=nn.Tanh(), att_1=second))


def statistics_under_weights(frames: Tensor, weights: Tensor, *, least: float = 1e-7) -> Tensor:
    """Return means and standard deviations over time under weights.

    Equations 5 and 6 of arXiv:1803.10963.

    Args:
        frames: `[batch, channels, frames]`.
        weights: the same shape; they sum to one over the frames.
        least: the variance is not let fall under it, so that the root has a finite gradient; the
            default is that of most of WeSpeaker's networks.

    Returns:
        `[batch, 2 * channels]`: all means, then all standard deviations.
    """
    weighted = weights * frames
    mean = weighted.sum(dim=-1)
    variance = (weighted * frames).sum(dim=-1) - mean.square()
    return torch.cat((mean, variance.clamp(min=least).sqrt()), dim=1)
