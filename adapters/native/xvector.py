"""The x-vector network: time-delay layers, statistics pooling, two affine layers.

Snyder et al., "X-Vectors: Robust DNN Embeddings for Speaker Recognition", ICASSP 2018, table 1.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import AttentiveStatisticsPooling, StatisticsPooling

# Frames that one frame after the time-delay layers has seen: none is padded.
_CONTEXT = 15


class XVectorBackbone(nn.Module):
    """The x-vector network (Snyder et al., 2018, table 1).

    The defaults have 4,610,524 parameters. The embedding is the output of the second affine layer,
    as in WeSpeaker; the paper takes the first one's. ReLU comes before batch normalisation, which
    has neither scale nor shift.
    """

    def __init__(
        self,
        *,
        bins: int = 80,
        embedding_size: int = 512,
        channels: int = 512,
        pooled: int = 1500,
        pooling: Literal["tstp", "astp"] = "tstp",
    ) -> None:
        """Build the network.

        Args:
            bins: mel bins of the input.
            embedding_size: dimension of the embedding, and of the affine layer before it.
            channels: channels of the time-delay layers but the last.
            pooled: channels of the last time-delay layer.
            pooling: `tstp` counts all frames alike; `astp` weighs them by attention.
        """
        super().__init__()
        self.frame_1 = TimeDelayLayer(bins, channels, kernel=5)
        self.frame_2 = TimeDelayLayer(channels, channels, kernel=3, dilation=2)
        self.frame_3 = TimeDelayLayer(channels, channels, kernel=3, dilation=3)
        self.frame_4 = TimeDelayLayer(channels, channels)
        self.frame_5 = TimeDelayLayer(channels, pooled)
        self.pool = AttentiveStatisticsPooling(pooled) if pooling == "astp" else StatisticsPooling()
        self.seg_1 = nn.Linear(2 * pooled, embedding_size)
        self.seg_bn_1 = nn.BatchNorm1d(embedding_size, affine=False)
        self.seg_2 = nn.Linear(embedding_size, embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """Embed log mel filterbank energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.

        Raises:
            ValueError: fewer than 16 frames: 15 are one frame's context, and two are pooled.
        """
        if features.shape[1] <= _CONTEXT:
            raise ValueError(
                f"x-vectors need at least {_CONTEXT + 1} frames, got {features.shape[1]}: "
                "the utterance is too short"
            )
        hidden = self.frame_3(self.frame_2(self.frame_1(features.transpose(1, 2))))
        pooled = self.pool(self.frame_5(self.frame_4(hidden)))
        hidden = self.seg_bn_1(functional.relu(self.seg_1(pooled), inplace=True))
        embedding: Tensor = self.seg_2(hidden)
        return embedding


class TimeDelayLayer(nn.Module):
    """A time convolution without padding, ReLU, batch normalisation."""

    def __init__(
        self, in_channels: int, out_channels: int, *, kernel: int = 1, dilation: int = 1
    ) -> None:
        """Build the layer; it takes `(kernel - 1) * dilation` frames off its input."""
        super().__init__()
        self.conv_1d = nn.Conv1d(in_channels, out_channels, kernel, dilation=dilation)
        self.bn = nn.BatchNorm1d(out_channels, affine=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, in_channels, frames]` to `[batch, out_channels, fewer frames]`."""
        hidden: Tensor = self.bn(functional.relu(self.conv_1d(frames), inplace=True))
        return hidden
