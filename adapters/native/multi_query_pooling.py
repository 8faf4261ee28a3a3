"""Multi-query multi-head attentive statistics pooling.

Zhao et al., "Multi-Query Multi-Head Attention Pooling and Inter-TopK Penalty for Speaker
Verification", ICASSP 2022, arXiv:2110.05042.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from adapters.native.attentive_pooling import weighted_statistics


class MultiQueryPooling(nn.Module):
    """Several multi-head poolings of the same frames, one beside the other."""

    def __init__(
        self, channels: int, *, queries: int = 2, heads: int = 8, bottleneck: int = 64
    ) -> None:
        """Builds the queries.

        Args:
            channels: Features of a frame: channels times bins where the input has both.
            queries: Attentions a head has.
            heads: Groups that the features are cut into.
            bottleneck: Channels of an attention's hidden layer.

        Raises:
            ValueError: If `heads` does not divide `channels`.
        """
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} features of a frame cannot be cut into {heads} heads")
        self.n_query = nn.ModuleList(
            MultiHeadPooling(channels, heads=heads, bottleneck=bottleneck) for _ in range(queries)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Pools over the last axis.

        Args:
            features: `[batch, channels, frames]` or `[batch, channels, bins, frames]`.

        Returns:
            `[batch, 2 * queries * channels]`, or times `bins`: query by query, and in each head by
            head, means before standard deviations.
        """
        frames = features.flatten(1, -2)
        return torch.cat([query(frames) for query in self.n_query], dim=1)


class MultiHeadPooling(nn.Module):
    """Cuts the features into heads, and pools each by an attention of its own.

    A head weighs every one of its features by itself (vector-based attention; Wu et al., 2020).
    """

    def __init__(self, channels: int, *, heads: int, bottleneck: int) -> None:
        """Builds one attention a head; see `MultiQueryPooling` for the arguments."""
        super().__init__()
        width = channels // heads
        self.heads_att_trans = nn.ModuleList(_attention(width, bottleneck) for _ in range(heads))

    def forward(self, frames: Tensor) -> Tensor:
        """Maps `[batch, channels, frames]` to `[batch, 2 * channels]`."""
        groups = frames.chunk(len(self.heads_att_trans), dim=1)
        pooled = [
            weighted_statistics(group, torch.softmax(attention(group), dim=-1))
            for attention, group in zip(self.heads_att_trans, groups, strict=True)
        ]
        return torch.cat(pooled, dim=1)


def _attention(width: int, bottleneck: int) -> nn.Sequential:
    """Scores of every feature at every frame, in two layers."""
    return nn.Sequential(
        OrderedDict(
            att_0=nn.Conv1d(width, bottleneck, 1),
            tanh0=nn.Tanh(),
            att_1=nn.Conv1d(bottleneck, width, 1),
        )
    )
