"""What ERes2Net and ERes2NetV2 are built of: Res2Net blocks and attentional fusion.

Res2Net: Gao et al., 2019, arXiv:1904.01169. Attentional feature fusion in speaker networks: Chen
et al., 2023, arXiv:2305.12838.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.lean import Stretch
from adapters.native.lean_layers import BatchNorm2d, Conv2d, clipped_sum, joined_convolution

CEILING = 20.0
"""Where the activation saturates."""

MakeBlock = Callable[..., "Bottleneck"]


def four_stages(
    kinds: Sequence[MakeBlock],
    blocks: Sequence[int],
    *,
    channels: int,
    expansion: int,
    base_width: int,
    scale: int,
) -> list[nn.Sequential]:
    """Builds the stages of a network; each but the first halves both axes and doubles channels.

    Args:
        kinds: What makes the blocks of each stage.
        blocks: Blocks in each stage.
        channels: Channels of the image that the first stage is given, and of that stage.
        expansion: Channels a block returns, over the channels of its stage.
        base_width: Channels of one group where the stage has 64; in proportion elsewhere.
        scale: Groups in a block.

    Raises:
        ValueError: If `blocks` does not name four stages.
    """
    if len(blocks) != 4:
        raise ValueError(f"blocks: a network has four stages, got {len(blocks)}: {tuple(blocks)}")
    stages = []
    width = channels
    for number, (kind, count) in enumerate(zip(kinds, blocks, strict=True)):
        stage_channels = channels * 2**number
        block = partial(
            kind,
            group=stage_channels * base_width // 64,
            scale=scale,
            out_channels=stage_channels * expansion,
        )
        stages.append(_stage(block, width, count=count, stride=2 if number else 1))
        width = stage_channels * expansion
    return stages


class AttentionalFusion(Stretch):
    """Weighs two feature maps against each other, bin by bin.

    The attentional feature fusion of arXiv:2305.12838: with
    `u = tanh(BN(W2 silu(BN(W1 [x, y]))))` the result is `(1 + u) x + (1 - u) y`.
    """

    def __init__(self, channels: int, *, reduction: int) -> None:
        """Builds the fusion of two maps of `channels` channels each."""
        super().__init__()
        hidden = channels // reduction
        self.local_att = nn.Sequential(
            Conv2d(2 * channels, hidden, 1),
            BatchNorm2d(hidden),
            nn.SiLU(),
            Conv2d(hidden, channels, 1),
            BatchNorm2d(channels),
            nn.Tanh(),
        )

    def body(self, first: Tensor, second: Tensor) -> Tensor:
        """Maps two `[batch, channels, bins, frames]` to one of the same shape."""
        weight = joined_convolution(cast(Conv2d, self.local_att[0]), (first, second))
        for layer in self.local_att[1:]:
            weight = layer(weight)
        # The paper's sum, rearranged: fewer passes over memory.
        return torch.addcmul(first + second, weight, first - second)


class Bottleneck(Stretch):
    """What both kinds of block share: 1x1 convolutions around groups, and a shortcut.

    The first convolution's channels are cut into `scale` groups; `chain` convolves the groups one
    after the other, and the last convolution mixes them again.
    """

    def __init__(
        self, in_channels: int, *, group: int, scale: int, out_channels: int, stride: int
    ) -> None:
        """Builds the shared layers.

        Args:
            in_channels: Channels of the input.
            group: Channels of one group.
            scale: Number of groups.
            out_channels: Channels of the output.
            stride: Stride over frequency and time.
        """
        super().__init__()
        self.group = group
        self.out_channels = out_channels
        self.conv1 = Conv2d(in_channels, group * scale, 1, stride=stride, bias=False)
        self.bn1 = BatchNorm2d(group * scale)
        self.conv3 = Conv2d(group * scale, out_channels, 1, bias=False)
        self.bn3 = BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            self.shortcut.append(Conv2d(in_channels, out_channels, 1, stride=stride, bias=False))
            self.shortcut.append(BatchNorm2d(out_channels))

    def body(self, image: Tensor) -> Tensor:
        """Maps `[batch, in_channels, bins, frames]` to `[batch, out_channels, ...]`."""
        hidden = clipped_relu(self.bn1(self.conv1(image)))
        hidden = torch.cat(self.chain(torch.split(hidden, self.group, dim=1)), dim=1)
        hidden = self.conv3(hidden)
        return clipped_sum(self.bn3, hidden, self.shortcut(image), ceiling=CEILING)

    def chain(self, groups: Sequence[Tensor]) -> list[Tensor]:
        """Maps groups of shape `[batch, group, bins, frames]` to as many of the same shape."""
        raise NotImplementedError


class Res2NetBlock(Bottleneck):
    """Adds each group's output to the next group's input (Res2Net; Gao et al., 2019)."""

    def __init__(
        self, in_channels: int, *, group: int, scale: int, out_channels: int, stride: int
    ) -> None:
        """Builds the block; see `Bottleneck` for the arguments."""
        super().__init__(
            in_channels, group=group, scale=scale, out_channels=out_channels, stride=stride
        )
        self.convs = nn.ModuleList(group_convolution(group) for _ in range(scale))
        self.bns = nn.ModuleList(BatchNorm2d(group) for _ in range(scale))

    def chain(self, groups: Sequence[Tensor]) -> list[Tensor]:
        """See `Bottleneck.chain`."""
        outputs: list[Tensor] = []
        for convolution, normalisation, group in zip(self.convs, self.bns, groups, strict=True):
            joined = group + outputs[-1] if outputs else group
            outputs.append(clipped_relu(normalisation(convolution(joined))))
        return outputs


def clipped_relu(hidden: Tensor) -> Tensor:
    """ReLU that saturates at 20, in place."""
    return functional.hardtanh(hidden, 0.0, CEILING, inplace=True)


def _stage(block: MakeBlock, in_channels: int, *, count: int, stride: int) -> nn.Sequential:
    """Stacks `count` blocks, the first with `stride`."""
    first = block(in_channels, stride=stride)
    return nn.Sequential(first, *(block(first.out_channels, stride=1) for _ in range(count - 1)))


def group_convolution(channels: int) -> Conv2d:
    """A 3x3 convolution that keeps the channels."""
    return Conv2d(channels, channels, 3, padding=1, bias=False)
