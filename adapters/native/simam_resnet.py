"""A residual network whose neurons are weighed without parameters (SimAM).

Attention: Yang et al., "SimAM: A Simple, Parameter-Free Attention Module for Convolutional Neural
Networks", ICML 2021. As a speaker network with attentive pooling: Qin et al., "Simple Attention
Module Based Speaker Verification with Iterative Noisy Label Detection", ICASSP 2022,
arXiv:2110.06534; Lin et al., "VoxBlink2", 2024, arXiv:2407.11510.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from adapters.native.pooling import statistics_under_weights
from adapters.native.resnet import BasicBlock, ResidualStages, pooled_features

_LEAST_ENERGY = 1e-4
"""SimAM's lambda."""

_LEAST_VARIANCE = 1e-5


class SimAmResNet(nn.Module):
    """ResNet with SimAM and attentive statistics pooling.

    The defaults are SimAM-ResNet34: 25,213,760 parameters.
    """

    def __init__(
        self,
        *,
        bins: int = 80,
        embedding_size: int = 256,
        channels: int = 64,
        blocks: Sequence[int] = (3, 4, 6, 3),
    ) -> None:
        """Build the network.

        Args:
            bins: mel bins of the input.
            embedding_size: dimension of the embedding.
            channels: channels of the first stage; doubled from stage to stage.
            blocks: blocks in each of the four stages.
        """
        super().__init__()
        self.front = ResidualStages(channels=channels, blocks=blocks, block=SimAmBlock)
        features = pooled_features(channels, bins)
        self.pooling = NormalisedAttentionPooling(features)
        self.bottleneck = nn.Linear(2 * features, embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """Embed filterbank energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.
        """
        embedding: Tensor = self.bottleneck(self.pooling(self.front.feature_maps(features)))
        return embedding


class SimAmBlock(BasicBlock):
    """A basic block whose residual is weighed by SimAM."""

    skip: ClassVar[str] = "downsample"

    def attend(self, hidden: Tensor) -> Tensor:
        """Weigh each neuron by the sigmoid of its inverse energy: how far it stands out."""
        return hidden * torch.sigmoid(inverse_energy(hidden))


def inverse_energy(image: Tensor) -> Tensor:
    """Return the inverse of each neuron's least energy, `[batch, channels, bins, frames]`.

    It is that at which SimAM tells the neuron from the others of its channel. The variance is
    divided by one less than the neurons, as in WeSpeaker.
    """
    distance = (image - image.mean(dim=(2, 3), keepdim=True)).square()
    others = image.shape[2] * image.shape[3] - 1
    variance = distance.sum(dim=(2, 3), keepdim=True) / others
    return distance / (4 * (variance + _LEAST_ENERGY)) + 0.5


class NormalisedAttentionPooling(nn.Module):
    """Attentive statistics whose hidden layer is a ReLU and a batch normalisation.

    Equations 1 to 4 of arXiv:2005.07143 otherwise.
    """

    def __init__(self, features: int, *, bottleneck: int = 128) -> None:
        """Build the attention; `features` are those of a frame."""
        super().__init__()
        self.attention = nn.Sequential(
            nn.Conv1d(features, bottleneck, 1),
            nn.ReLU(inplace=True),
            nn.BatchNorm1d(bottleneck),
            nn.Conv1d(bottleneck, features, 1),
            nn.Softmax(dim=-1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Map `[batch, channels, bins, frames]` to `[batch, 2 * channels * bins]`."""
        frames = maps.flatten(1, -2)
        return statistics_under_weights(frames, self.attention(frames), least=_LEAST_VARIANCE)
