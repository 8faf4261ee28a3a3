"""ERes2Net: a Res2Net with local and global attentional feature fusion.

Chen et al., "An Enhanced Res2Net with Local and Global Feature Fusion for Speaker Verification",
Interspeech 2023, arXiv:2305.12838.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import StatisticsPooling


class ERes2Net(nn.Module):
    """ERes2Net speaker embedding network (arXiv:2305.12838).

    Four stages of Res2Net blocks; the last two stages fuse the groups inside a block by attention
    (local feature fusion), and a bottom-up path fuses the outputs of all stages (global feature
    fusion). The defaults are the base network: 9,887,808 parameters with a 512-dimensional
    embedding, 6,610,688 with 192. With `channels=64` it is the large one: 22,462,784 with 192.
    """

    def __init__(
        self,
        *,
        bins: int = 80,
        embedding_size: int = 512,
        channels: int = 32,
        blocks: Sequence[int] = (3, 4, 6, 3),
        expansion: int = 2,
        base_width: int = 32,
        scale: int = 2,
        reduction: int = 4,
    ) -> None:
        """Builds the network.

        Args:
            bins: Mel bins of the input.
            embedding_size: Dimension of the embedding.
            channels: Channels of the first convolution; doubled from stage to stage.
            blocks: Blocks in each of the four stages.
            expansion: Channels a block returns, over the channels of its stage.
            base_width: Channels of one group where the stage has 64; in proportion elsewhere.
            scale: Groups in a block.
            reduction: Divides the channels for the hidden layer of an attentional fusion.

        Raises:
            ValueError: If `blocks` does not name four stages.
        """
        super().__init__()
        if len(blocks) != 4:
            raise ValueError(f"ERes2Net has four stages, got {len(blocks)}: {tuple(blocks)}")
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)

        stages = []
        width = channels
        for number, count in enumerate(blocks, start=1):
            stage_channels = channels * 2 ** (number - 1)
            stages.append(
                _stage(
                    width,
                    count=count,
                    group=stage_channels * base_width // 64,
                    scale=scale,
                    out_channels=stage_channels * expansion,
                    stride=1 if number == 1 else 2,
                    fusion_reduction=reduction if number > 2 else None,
                )
            )
            width = stage_channels * expansion
        self.layer1, self.layer2, self.layer3, self.layer4 = stages

        widths = [channels * expansion * 2**stage for stage in range(4)]
        self.layer1_downsample = _downsample(widths[0], widths[1])
        self.layer2_downsample = _downsample(widths[1], widths[2])
        self.layer3_downsample = _downsample(widths[2], widths[3])
        self.fuse_mode12 = AttentionalFusion(widths[1], reduction=reduction)
        self.fuse_mode123 = AttentionalFusion(widths[2], reduction=reduction)
        self.fuse_mode1234 = AttentionalFusion(widths[3], reduction=reduction)

        self.pool = StatisticsPooling()
        self.seg_1 = nn.Linear(2 * widths[3] * _halved(bins, times=3), embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """Embeds utterances.

        Args:
            features: `[batch, frames, bins]`, log mel filterbank energies.

        Returns:
            `[batch, embedding_size]`, not length-normalised.
        """
        image = features.transpose(1, 2).unsqueeze(1)
        # Channels last spares CPU convolutions a change of layout: a sixth of a training step.
        stem = self.conv1(image).contiguous(memory_format=torch.channels_last)
        stage1 = self.layer1(clipped_relu(self.bn1(stem)))
        stage2 = self.layer2(stage1)
        stage3 = self.layer3(stage2)
        stage4 = self.layer4(stage3)
        fused = self.fuse_mode12(stage2, self.layer1_downsample(stage1))
        fused = self.fuse_mode123(stage3, self.layer2_downsample(fused))
        fused = self.fuse_mode1234(stage4, self.layer3_downsample(fused))
        embedding: Tensor = self.seg_1(self.pool(fused))
        return embedding


class AttentionalFusion(nn.Module):
    """Weighs two feature maps against each other, bin by bin.

    The attentional feature fusion of arXiv:2305.12838: with
    `u = tanh(BN(W2 silu(BN(W1 [x, y]))))` the result is `(1 + u) x + (1 - u) y`.
    """

    def __init__(self, channels: int, *, reduction: int) -> None:
        """Builds the fusion of two maps of `channels` channels each."""
        super().__init__()
        hidden = channels // reduction
        self.local_att = nn.Sequential(
            nn.Conv2d(2 * channels, hidden, 1),
            nn.BatchNorm2d(hidden),
            nn.SiLU(),
            nn.Conv2d(hidden, channels, 1),
            nn.BatchNorm2d(channels),
            nn.Tanh(),
        )

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Maps two `[batch, channels, bins, frames]` to one of the same shape."""
        weight = self.local_att(torch.cat((first, second), dim=1))
        # The paper's sum, rearranged: fewer passes over memory.
        return torch.addcmul(first + second, weight, first - second)


class Bottleneck(nn.Module):
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
        self.conv1 = nn.Conv2d(in_channels, group * scale, 1, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(group * scale)
        self.conv3 = nn.Conv2d(group * scale, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            self.shortcut.append(nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(out_channels))

    def forward(self, image: Tensor) -> Tensor:
        """Maps `[batch, in_channels, bins, frames]` to `[batch, out_channels, ...]`."""
        hidden = clipped_relu(self.bn1(self.conv1(image)))
        hidden = torch.cat(self.chain(torch.split(hidden, self.group, dim=1)), dim=1)
        hidden = self.bn3(self.conv3(hidden))
        # Safe in place: batch normalisation's gradient needs its input, not its output.
        hidden += self.shortcut(image)
        return clipped_relu(hidden)

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
        self.convs = nn.ModuleList(_group_convolution(group) for _ in range(scale))
        self.bns = nn.ModuleList(nn.BatchNorm2d(group) for _ in range(scale))

    def chain(self, groups: Sequence[Tensor]) -> list[Tensor]:
        """See `Bottleneck.chain`."""
        outputs: list[Tensor] = []
        for convolution, normalisation, group in zip(self.convs, self.bns, groups, strict=True):
            joined = group + outputs[-1] if outputs else group
            outputs.append(clipped_relu(normalisation(convolution(joined))))
        return outputs


class FusionBlock(Bottleneck):
    """Fuses each group's output with the next group's input by attention.

    The local feature fusion of arXiv:2305.12838.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        group: int,
        scale: int,
        out_channels: int,
        stride: int,
        reduction: int,
    ) -> None:
        """Builds the block; `reduction` is the fusion's, the rest as in `Bottleneck`."""
        super().__init__(
            in_channels, group=group, scale=scale, out_channels=out_channels, stride=stride
        )
        self.conv2_1 = _group_convolution(group)
        self.bn2_1 = nn.BatchNorm2d(group)
        self.convs = nn.ModuleList(_group_convolution(group) for _ in range(scale - 1))
        self.bns = nn.ModuleList(nn.BatchNorm2d(group) for _ in range(scale - 1))
        self.fuse_models = nn.ModuleList(
            AttentionalFusion(group, reduction=reduction) for _ in range(scale - 1)
        )

    def chain(self, groups: Sequence[Tensor]) -> list[Tensor]:
        """See `Bottleneck.chain`."""
        outputs = [clipped_relu(self.bn2_1(self.conv2_1(groups[0])))]
        for convolution, normalisation, fusion, group in zip(
            self.convs, self.bns, self.fuse_models, groups[1:], strict=True
        ):
            joined = fusion(outputs[-1], group)
            outputs.append(clipped_relu(normalisation(convolution(joined))))
        return outputs


def clipped_relu(hidden: Tensor) -> Tensor:
    """ReLU that saturates at 20, in place."""
    return functional.hardtanh(hidden, 0.0, 20.0, inplace=True)


def _stage(
    in_channels: int,
    *,
    count: int,
    group: int,
    scale: int,
    out_channels: int,
    stride: int,
    fusion_reduction: int | None,
) -> nn.Sequential:
    """Stacks `count` blocks, the first with `stride`; fusion blocks if a reduction is given."""
    stage = nn.Sequential()
    for index in range(count):
        block_in = in_channels if index == 0 else out_channels
        block_stride = stride if index == 0 else 1
        if fusion_reduction is None:
            stage.append(
                Res2NetBlock(
                    block_in,
                    group=group,
                    scale=scale,
                    out_channels=out_channels,
                    stride=block_stride,
                )
            )
        else:
            stage.append(
                FusionBlock(
                    block_in,
                    group=group,
                    scale=scale,
                    out_channels=out_channels,
                    stride=block_stride,
                    reduction=fusion_reduction,
                )
            )
    return stage


def _group_convolution(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1, bias=False)


def _downsample(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Brings a stage's output to the next stage's shape, for the bottom-up path."""
    return nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)


def _halved(size: int, *, times: int) -> int:
    """The size after `times` padded 3-wide convolutions of stride 2, each rounding up."""
    for _ in range(times):
        size = (size + 1) // 2
    return size
