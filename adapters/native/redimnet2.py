"""ReDimNet2: 2D and 1D blocks on one volume of features, whose time the 2D blocks pool.

Yakovlev and Okhotnikov, "ReDimNet2: Scaling Speaker Verification via Time-Pooled Dimension
Reshaping", Interspeech 2026, arXiv:2603.11841; the reshaping is that of Yakovlev et al., "Reshape
Dimensions Network for Speaker Recognition", Interspeech 2024, arXiv:2407.18223.

Attribute names follow the state dict of published checkpoints, so that these load; what these hold
of the front end (`spec.`) is not among them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import AttentiveStatisticsPooling
from adapters.native.time_context import ChannelNorm, TimeContextBlock


@dataclass(frozen=True)
class Stage:
    """A stage of the network.

    Attributes:
        bins: divides the bins, and multiplies the channels.
        frames: divides the frames, on top of the stages before.
        blocks: number of 2D blocks.
        expansion: channels within the 2D blocks, over those of the stage.
        reduction: features of a frame over those that the 1D block works on.
    """

    bins: int
    frames: int
    blocks: int
    expansion: int
    reduction: int


@dataclass(frozen=True)
class Size:
    """A size of the network.

    Attributes:
        channels: channels of the first maps; channels times bins stay the same throughout.
        stages: what is done to the maps, stage by stage.
        head: channels that the last maps are brought to before pooling; 0 leaves them.
    """

    channels: int
    stages: tuple[Stage, ...]
    head: int = 0


_BINS, _FRAMES, _BLOCKS = (1, 2, 1, 2, 1, 2), (1, 1, 2, 1, 2, 1), (2, 3, 4, 5, 4, 3)


def _size(
    channels: int,
    reductions: Sequence[int],
    *,
    bins: Sequence[int] = _BINS,
    expansions: Sequence[int] = (2, 1, 1, 1, 1, 1),
    head: int = 0,
) -> Size:
    columns = bins, _FRAMES, _BLOCKS, expansions, reductions
    return Size(channels, tuple(Stage(*row) for row in zip(*columns, strict=True)), head)


SIZES = {
    "b0": _size(12, (36, 36, 36, 36, 18, 18), head=64),
    "b1": _size(16, (32, 32, 32, 32, 16, 16)),
    "b2": _size(20, (40, 30, 30, 20, 20, 10), bins=(1, 2, 1, 3, 1, 2)),
    "b3": _size(24, (24, 24, 24, 24, 24, 24), expansions=(4, 3, 2, 1, 1, 1)),
}
"""Sizes of the authors' recipes, whose parameters are as many as published."""


class ReDimNet2Backbone(nn.Module):
    """ReDimNet2 speaker embedding network: maps, attentive statistics with context, a projection.

    With 72 bins and an embedding of 192: 1,114,356 parameters in B0, 2,160,336 in B1, 3,676,320 in
    B2, 4,179,848 in B3.
    """

    def __init__(
        self, size: Size, *, bins: int = 72, embedding_size: int = 192, group_norm: bool = False
    ) -> None:
        """Build the network.

        Args:
            size: its size.
            bins: mel bins of the input.
            embedding_size: dimension of the embedding.
            group_norm: normalise each map before maps are summed.

        Raises:
            ValueError: the stages do not divide the bins.
        """
        super().__init__()
        self.backbone = ReshapingStages(size, bins=bins, group_norm=group_norm)
        features = self.backbone.features
        self.pool = AttentiveStatisticsPooling(features, global_context=True)
        self.bn = nn.BatchNorm1d(2 * features)
        self.linear = nn.Linear(2 * features, embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """Embed log mel energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.

        Raises:
            ValueError: fewer frames than the stages pool into one.
        """
        embedding: Tensor = self.linear(self.bn(self.pool(self.backbone(features))))
        return embedding


class ReshapingStages(nn.Module):
    """Stages that each sum all maps before them, and add one (arXiv:2603.11841).

    Maps between stages are 1D, `[batch, channels * bins, frames]`, whatever the resolution within.

    Attributes:
        features: channels times bins of the output.
    """

    def __init__(self, size: Size, *, bins: int, group_norm: bool) -> None:
        """Build the stages; see `ReDimNet2Backbone`.

        Raises:
            ValueError: the stages do not divide the bins.
        """
        super().__init__()
        parts = math.prod(stage.bins for stage in size.stages)
        if bins % parts:
            raise ValueError(f"{bins} bins cannot be cut into {parts} parts, as the stages do")
        channels, volume = size.channels, size.channels * bins
        groups = channels if group_norm else 0
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1), ChannelNorm(channels), To1d()
        )
        self.stem_gnorm = _group_norm(groups, volume)
        self.stages, self.time_stride = len(size.stages), 1
        for place, stage in enumerate(size.stages):
            self.time_stride *= stage.frames
            layers = _stage(place, stage, channels, bins, self.time_stride)
            channels, bins = channels * stage.bins, bins // stage.bins
            self.add_module(f"stage{place}", nn.Sequential(*layers, *_norms(groups, volume)))
        self.fin_wght1d = WeightedSum(1 + self.stages, volume)
        self.fin_to2d = To2d(bins, channels)
        self.head = nn.Conv2d(channels, size.head, 1) if size.head else nn.Identity()
        self.features = (size.head or channels) * bins

    def forward(self, features: Tensor) -> Tensor:
        """Map `[batch, frames, bins]` to `[batch, features, frames]`.

        Frames beyond a multiple of all time strides are left out.

        Raises:
            ValueError: too few frames.
        """
        frames = features.shape[1] // self.time_stride * self.time_stride
        if not frames:
            raise ValueError(
                f"the network pools {self.time_stride} frames into one, got "
                f"{features.shape[1]}: the utterance is too short"
            )
        image = features[:, :frames].transpose(1, 2).unsqueeze(1)
        maps = [self.stem_gnorm(self.stem(image))]
        for place in range(self.stages):
            maps.append(self.get_submodule(f"stage{place}")(maps))
        summed: Tensor = self.head(self.fin_to2d(self.fin_wght1d(maps)))
        return summed.flatten(1, 2)


def _stage(place: int, stage: Stage, channels: int, bins: int, time_stride: int) -> list[nn.Module]:
    """Return the layers of a stage: maps summed, strided, 2D blocks, a 1D block, repeated."""
    volume, strides = channels * bins, (stage.bins, time_stride)
    width = stage.bins * channels
    wide = width * stage.expansion
    narrow: list[nn.Module] = []
    if stage.expansion > 1:
        narrow = [nn.Sequential(nn.Conv2d(wide, width, 1), nn.BatchNorm2d(width, eps=1e-6))]
    return [
        WeightedSum(1 + place, volume),
        To2d(bins, channels),
        nn.Conv2d(channels, wide, strides, strides, groups=channels),
        *(ImageBlock(wide) for _ in range(stage.blocks)),
        *narrow,
        To1d(),
        TimeContextBlock(volume, volume // stage.reduction),
        nn.Upsample(scale_factor=time_stride) if time_stride > 1 else nn.Identity(),
    ]


def _group_norm(groups: int, features: int) -> nn.Module:
    return nn.GroupNorm(groups, features) if groups else nn.Identity()


def _norms(groups: int, features: int) -> list[nn.Module]:
    return [_group_norm(groups, features)] if groups else []


class To1d(nn.Module):
    """Lays bins side by side: `[batch, channels, bins, frames]` to `[batch, features, frames]`.

    A bin's channels are neighbours.
    """

    def forward(self, image: Tensor) -> Tensor:
        """Reshape a map."""
        return image.transpose(1, 2).flatten(1, 2)


class To2d(nn.Module):
    """Undoes `To1d`."""

    def __init__(self, bins: int, channels: int) -> None:
        """Name the two sides."""
        super().__init__()
        self.sides = bins, channels

    def forward(self, frames: Tensor) -> Tensor:
        """Reshape a map."""
        bins, channels = self.sides
        return frames.reshape(len(frames), bins, channels, *frames.shape[2:]).transpose(1, 2)


class WeightedSum(nn.Module):
    """Sums maps, each feature under a softmax over the maps (arXiv:2407.18223)."""

    w: Tensor

    def __init__(self, maps: int, features: int) -> None:
        """Start with equal weights; those of a single map are nothing to learn."""
        super().__init__()
        weights = torch.zeros(1, maps, features, 1)
        if maps > 1:
            self.w = nn.Parameter(weights)
        else:
            self.register_buffer("w", weights)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Sum maps `[batch, features, frames]` to one."""
        if len(maps) == 1:
            return maps[0]
        weights = self.w.softmax(dim=1).unbind(dim=1)
        total = weights[0] * maps[0]
        for weight, each in zip(weights[1:], maps[1:], strict=True):
            total = torch.addcmul(total, weight, each)
        return total


class ImageBlock(nn.Module):
    """A residual block of convolutions by channel, each with a mixing of channels after it."""

    def __init__(self, channels: int) -> None:
        """Build the block."""
        super().__init__()
        self.conv_block = SeparableBlock(channels)

    def forward(self, image: Tensor) -> Tensor:
        """Map `[batch, channels, bins, frames]` to the same shape."""
        mapped: Tensor = self.conv_block(image)
        return mapped


class SeparableBlock(nn.Module):
    """Two separable 3x3 convolutions around a shortcut; the first ReLU is before its norm."""

    def __init__(self, channels: int) -> None:
        """Build the block."""
        super().__init__()
        self.conv1 = _by_channel(channels)
        self.conv1pw = nn.Conv2d(channels, channels, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _by_channel(channels)
        self.conv2pw = nn.Conv2d(channels, channels, 1)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, image: Tensor) -> Tensor:
        """Map `[batch, channels, bins, frames]` to the same shape."""
        hidden: Tensor = self.bn1(functional.relu(self.conv1pw(self.conv1(image)), inplace=True))
        hidden = self.bn2(self.conv2pw(self.conv2(hidden)))
        return functional.relu(hidden + image, inplace=True)


def _by_channel(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
