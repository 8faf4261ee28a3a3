"""ECAPA-TDNN with global context in its pooling, as WeSpeaker writes it.

Desplanques et al., "ECAPA-TDNN: Emphasized Channel Attention, Propagation and Aggregation in TDNN
Based Speaker Verification", Interspeech 2020, arXiv:2005.07143.

Two things differ from the paper: a block reads the one before it alone, not the sum of all before
it, and no batch normalisation follows the embedding. Its aggregating layer has the paper's 1,536
channels at every width. SpeechBrain's grows with the blocks: at 1,024 channels the two are networks
of different size, 14.7 and 20.8 million parameters.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import AttentiveStatisticsPooling


class EcapaGlobBackbone(nn.Module):
    """ECAPA-TDNN speaker embedding network (arXiv:2005.07143, figure 2, with these differences).

    With 80 bins and an embedding of 192: 6,190,720 parameters at 512 channels, 14,657,088 at 1,024.
    """

    def __init__(
        self,
        *,
        bins: int = 80,
        embedding_size: int = 192,
        channels: int = 512,
        aggregated: int = 1536,
        scale: int = 8,
        bottleneck: int = 128,
    ) -> None:
        """Build the network.

        Args:
            bins: mel bins of the input.
            embedding_size: dimension of the embedding.
            channels: channels of the first layer and of the blocks.
            aggregated: channels that the blocks' outputs are brought to before pooling.
            scale: groups of a block's Res2Net convolution.
            bottleneck: channels of the hidden layers of squeeze-excitation and attention.

        Raises:
            ValueError: `scale` does not divide `channels`.
        """
        super().__init__()
        if channels % scale:
            raise ValueError(f"{channels} channels cannot be cut into {scale} groups")
        self.layer1 = NormalisedConvolution(bins, channels, kernel=5)
        self.layer2, self.layer3, self.layer4 = (
            SqueezedRes2Block(channels, dilation=dilation, scale=scale, bottleneck=bottleneck)
            for dilation in (2, 3, 4)
        )
        self.conv = nn.Conv1d(3 * channels, aggregated, 1)
        self.pool = AttentiveStatisticsPooling(
            aggregated, bottleneck=bottleneck, global_context=True
        )
        self.bn = nn.BatchNorm1d(2 * aggregated)
        self.linear = nn.Linear(2 * aggregated, embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """Embed log mel filterbank energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.

        Raises:
            ValueError: fewer than two frames.
        """
        first = self.layer2(self.layer1(features.transpose(1, 2)))
        second = self.layer3(first)
        third = self.layer4(second)
        joined = self.conv(torch.cat((first, second, third), dim=1))
        pooled = self.pool(functional.relu(joined, inplace=True))
        embedding: Tensor = self.linear(self.bn(pooled))
        return embedding


class SqueezedRes2Block(nn.Module):
    """A Res2Net convolution between two of one frame, squeeze-excitation, and a shortcut.

    The SE-Res2Block of arXiv:2005.07143, section 3.2.
    """

    def __init__(self, channels: int, *, dilation: int, scale: int, bottleneck: int) -> None:
        """Build the block.

        Args:
            channels: channels of input and output.
            dilation: dilation of the groups' convolutions.
            scale: number of groups.
            bottleneck: channels of the squeeze-excitation's hidden layer.
        """
        super().__init__()
        self.se_res2block = nn.Sequential(
            NormalisedConvolution(channels, channels, kernel=1),
            Res2Convolution(channels, dilation=dilation, scale=scale),
            NormalisedConvolution(channels, channels, kernel=1),
            SqueezeExcitation(channels, bottleneck),
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, channels, frames]` to the same shape."""
        residual: Tensor = self.se_res2block(frames)
        return frames + residual


class NormalisedConvolution(nn.Module):
    """A time convolution, ReLU, then batch normalisation: in this order."""

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int) -> None:
        """Build the layer; `kernel` is odd."""
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel, padding=kernel // 2)
        self.bn = nn.BatchNorm1d(out_channels)

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, in_channels, frames]` to `[batch, out_channels, frames]`."""
        hidden: Tensor = self.bn(functional.relu(self.conv(frames), inplace=True))
        return hidden


class Res2Convolution(nn.Module):
    """Convolves groups of channels one after the other (Res2Net; Gao et al., 2019).

    Each group's output is added to the next group's input; the last group passes unchanged.
    """

    def __init__(self, channels: int, *, dilation: int, scale: int) -> None:
        """Build a convolution of three frames for every group but the last."""
        super().__init__()
        self.group = channels // scale
        self.convs = nn.ModuleList(
            nn.Conv1d(self.group, self.group, 3, padding=dilation, dilation=dilation)
            for _ in range(scale - 1)
        )
        self.bns = nn.ModuleList(nn.BatchNorm1d(self.group) for _ in range(scale - 1))

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, channels, frames]` to the same shape."""
        *groups, last = torch.split(frames, self.group, dim=1)
        outputs: list[Tensor] = []
        for convolution, normalisation, group in zip(self.convs, self.bns, groups, strict=True):
            joined = group + outputs[-1] if outputs else group
            outputs.append(normalisation(functional.relu(convolution(joined), inplace=True)))
        return torch.cat((*outputs, last), dim=1)


class SqueezeExcitation(nn.Module):
    """Scales every channel by the utterance's means (Hu et al., 2018).

    Equations 5 and 6 of arXiv:2005.07143, section 3.2.
    """

    def __init__(self, channels: int, bottleneck: int) -> None:
        """Build the two layers."""
        super().__init__()
        self.linear1 = nn.Linear(channels, bottleneck)
        self.linear2 = nn.Linear(bottleneck, channels)

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, channels, frames]` to the same shape."""
        hidden = functional.relu(self.linear1(frames.mean(dim=-1)), inplace=True)
        scales = torch.sigmoid(self.linear2(hidden))
        return frames * scales.unsqueeze(-1)
