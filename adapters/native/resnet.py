"""ResNet34 with statistics pooling, the x-vector's convolutional successor.

Residual blocks: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
arXiv:1512.03385. Pooling: Snyder et al., "X-Vectors", ICASSP 2018. Both together as a speaker
network: Zeinali et al., "BUT System Description to VoxCeleb Challenge 2019", arXiv:1910.12592.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import AttentiveStatisticsPooling, MultiQueryPooling, StatisticsPooling

_QUERIES = 2


class ResidualStages(nn.Module):
    """Four stages of residual blocks over the spectrogram as a one-channel image."""

    def __init__(
        self, *, channels: int, blocks: Sequence[int], block: type[BasicBlock] | None = None
    ) -> None:
        """Build the stages.

        Args:
            channels: channels of the first stage; doubled from stage to stage.
            blocks: blocks in each of the four stages.
            block: class of the blocks; `BasicBlock` if it is not given.
        """
        super().__init__()
        first, second, third, fourth = blocks
        kind = block or BasicBlock
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = _stage(kind, channels, channels, count=first, stride=1)
        self.layer2 = _stage(kind, channels, 2 * channels, count=second, stride=2)
        self.layer3 = _stage(kind, 2 * channels, 4 * channels, count=third, stride=2)
        self.layer4 = _stage(kind, 4 * channels, 8 * channels, count=fourth, stride=2)

    def feature_maps(self, features: Tensor) -> Tensor:
        """Map `[batch, frames, bins]` to `[batch, 8 * channels, bins / 8, frames / 8]`."""
        image = features.transpose(1, 2).unsqueeze(1)
        hidden: Tensor = functional.relu(self.bn1(self.conv1(image)), inplace=True)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            hidden = stage(hidden)
        return hidden


class ResNet(ResidualStages):
    """A residual network with statistics pooling.

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
            channels, blocks: as of `ResidualStages`.
        """
        super().__init__(channels=channels, blocks=blocks)
        self.pool = StatisticsPooling()
        self.seg_1 = nn.Linear(2 * pooled_features(channels, bins), embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """Embed filterbank energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.
        """
        embedding: Tensor = self.seg_1(self.pool(self.feature_maps(features)))
        return embedding


def pooled_features(channels: int, bins: int) -> int:
    """Return the features of a frame after the stages.

    Three strides, each rounding up, leave an eighth of the bins, rounded up.
    """
    return 8 * channels * -(-bins // 8)


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
    """Two 3x3 convolutions around a shortcut (arXiv:1512.03385, figure 5, left).

    Attributes:
        skip: name of the shortcut.
    """

    skip: ClassVar[str] = "shortcut"

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        """Build the block; the shortcut is a 1x1 convolution if shapes differ."""
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            shortcut.append(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False))
            shortcut.append(nn.BatchNorm2d(out_channels))
        self.register_module(self.skip, shortcut)

    def forward(self, image: Tensor) -> Tensor:
        """Map `[batch, in_channels, bins, frames]` to `out_channels`, both axes strided."""
        hidden: Tensor = functional.relu(self.bn1(self.conv1(image)), inplace=True)
        hidden = self.attend(self.bn2(self.conv2(hidden)))
        # Safe in place: the gradients of what made it need their inputs, not this output.
        hidden += self.get_submodule(self.skip)(image)
        return functional.relu(hidden, inplace=True)

    def attend(self, hidden: Tensor) -> Tensor:
        """Return the residual as it is; a subclass may weigh it."""
        return hidden


def _stage(
    block: type[BasicBlock], in_channels: int, out_channels: int, *, count: int, stride: int
) -> nn.Sequential:
    """Stack `count` blocks, the first of which strides and widens."""
    rest = (block(out_channels, out_channels, stride=1) for _ in range(count - 1))
    return nn.Sequential(block(in_channels, out_channels, stride=stride), *rest)
