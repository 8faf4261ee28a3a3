"""A plain convolutional network: layers of 3 x 3, each halving both axes, and global pooling."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class PlainCnn(nn.Module):
    """Convolution, batch normalisation, ReLU and maximum pooling, a few times over.

    Sizes are rounded up in pooling, so that a picture of any size is embedded.
    """

    def __init__(self, channels: Sequence[int], *, dropout: float) -> None:
        """Build the network.

        Args:
            channels: of each layer.
            dropout: share of the embedding that is dropped in training.
        """
        super().__init__()
        layers = [
            nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2, ceil_mode=True),
            )
            for before, after in pairwise((1, *channels))
        ]
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed `[batch, 1, height, width]` as `[batch, 2 * channels[-1]]`."""
        hidden = self.layers(pictures).flatten(2)
        pooled = torch.cat((hidden.mean(dim=2), hidden.amax(dim=2)), dim=1)
        embedding: Tensor = self.dropout(pooled)
        return embedding
