"""ResNet34 with statistics pooling, the x-vector's convolutional successor.

Residual blocks: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
arXiv:1512.03385. Pooling: Snyder et al., "X-Vectors", ICASSP 2018. Both together as a speaker
network: Zeinali et al., "BUT System Description to VoxCeleb Challenge 2019", arXiv:1910.12592.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import AttentiveStatisticsPooling, MultiQueryPooling, StatisticsPooling

_QUERIES = 2


class ResNet(nn.Module):
    """A residual network over the spectrogram as a one-channel image.

    The defaults are ResNet34 with 32 channels: 6,634,336 parameters.
    """

    def __init__(
        self,
        *,
        bins: int = 80,
        embedding_size: int = 256,
        channels: int = 32,
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
        first, second, third, fourth = blocks
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = _stage(channels, channels, count=first, stride=1)
        self.layer2 = _stage(channels, 2 * channels, count=second, stride=2)
        self.layer3 = _stage(2 * channels, 4 * channels, count=third, stride=2)
        self.layer4 = _stage(4 * channels, 8 * channels, count=fourth, stride=2)
        self.pool = StatisticsPooling()
        # Three strides, each rounding up, leave an eighth of the bins, rounded up.
        self.seg_1 = nn.Linear(2 * 8 * channels * -(-bins // 8), embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """Embed filterbank energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.
        """
        image = features.transpose(1, 2).unsqueeze(1)
        hidden: Tensor = functional.relu(self.bn1(self.conv1(image)), inplace=True)
        hidden = self.layer4(self.layer3(self.layer2(self.layer1(hidden))))
        embedding: Tensor = self.seg_1(self.pool(hidden))
        return embedding


class AttentiveResNet(ResNet):
    """A residual network whose frames are weighed before they are pooled.

    With the other defaults: 7,292,384 parameters with `astp`, 8,606,560 with `mqmhastp`.
    """

    def __init__(
        self,
        *,
        pooling: Literal["astp", "mqmhastp"] = "astp",
        bins: int = 80,
        embedding_size: int = 256,
        channels: int = 32,
        blocks: Sequence[int] = (3, 4, 6, 3),
    ) -> None:
        """Build the network.

        Args:
            pooling: one attention over all features (`astp`), or two queries of eight heads
                (`mqmhastp`).
            bins, embedding_size, channels, blocks: as of `ResNet`.
        """
        super().__init__(bins=bins, embedding_size=embedding_size, channels=channels, blocks=blocks)
        statistics = self.seg_1.in_features
        if pooling == "astp":
            self.register_module("pool", AttentiveStatisticsPooling(statistics // 2))
        else:
            self.register_module("pool", MultiQueryPooling(statistics // 2, queries=_QUERIES))
            self.seg_1 = nn.Linear(_QUERIES * statistics, embedding_size)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut (arXiv:1512.03385, figure 5, left)."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        """Build the block; the shortcut is a 1x1 convolution if shapes differ."""
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            self.shortcut.append(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(out_channels))

    def forward(self, image: Tensor) -> Tensor:
        """Map `[batch, in_channels, bins, frames]` to `out_channels`, both axes strided."""
        hidden: Tensor = functional.relu(self.bn1(self.conv1(image)), inplace=True)
        hidden = self.bn2(self.conv2(hidden))
        # Safe in place: batch normalisation's gradient needs its input, not its output.
        hidden += self.shortcut(image)
        return functional.relu(hidden, inplace=True)


def _stage(in_channels: int, out_channels: int, *, count: int, stride: int) -> nn.Sequential:
    """Stack `count` blocks, the first of which strides and widens."""
    rest = (BasicBlock(out_channels, out_channels, stride=1) for _ in range(count - 1))
    return nn.Sequential(BasicBlock(in_channels, out_channels, stride=stride), *rest)
