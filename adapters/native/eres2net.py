"""ERes2Net: a Res2Net with local and global attentional feature fusion.

Chen et al., "An Enhanced Res2Net with Local and Global Feature Fusion for Speaker Verification",
Interspeech 2023, arXiv:2305.12838.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from adapters.native.lean import Lean, keep, stretch
from adapters.native.lean_layers import BatchNorm2d, Conv2d
from adapters.native.pooling import StatisticsPooling
from adapters.native.res2net import (
    AttentionalFusion,
    Bottleneck,
    Res2NetBlock,
    clipped_relu,
    four_stages,
    group_convolution,
)


class ERes2Net(Lean):
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
        checkpointing: bool = False,
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
            checkpointing: Keep less for the backward pass, and compute convolutions twice.

        Raises:
            ValueError: If `blocks` does not name four stages.
        """
        super().__init__()
        self.conv1 = Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = BatchNorm2d(channels)
        fusing = partial(FusionBlock, reduction=reduction)
        self.layer1, self.layer2, self.layer3, self.layer4 = four_stages(
            (Res2NetBlock, Res2NetBlock, fusing, fusing),
            blocks,
            channels=channels,
            expansion=expansion,
            base_width=base_width,
            scale=scale,
        )

        widths = [channels * expansion * 2**stage for stage in range(4)]
        self.layer1_downsample = _downsample(widths[0], widths[1])
        self.layer2_downsample = _downsample(widths[1], widths[2])
        self.layer3_downsample = _downsample(widths[2], widths[3])
        self.fuse_mode12 = AttentionalFusion(widths[1], reduction=reduction)
        self.fuse_mode123 = AttentionalFusion(widths[2], reduction=reduction)
        self.fuse_mode1234 = AttentionalFusion(widths[3], reduction=reduction)

        self.pool = StatisticsPooling()
        self.seg_1 = nn.Linear(2 * widths[3] * _halved(bins, times=3), embedding_size)
        keep(self, "inputs" if checkpointing else "convolutions")

    def forward(self, features: Tensor) -> Tensor:
        """Embeds utterances.

        Args:
            features: `[batch, frames, bins]`, log mel filterbank energies.

        Returns:
            `[batch, embedding_size]`, not length-normalised.
        """
        stem_layers = (self.conv1, self.bn1)
        stem = stretch(self.stem, features, layers=stem_layers, keeps=self.keeps)
        stage1 = self.layer1(stem)
        stage2 = self.layer2(stage1)
        stage3 = self.layer3(stage2)
        stage4 = self.layer4(stage3)
        fused = self.fuse_mode12(stage2, self.layer1_downsample(stage1))
        fused = self.fuse_mode123(stage3, self.layer2_downsample(fused))
        fused = self.fuse_mode1234(stage4, self.layer3_downsample(fused))
        embedding: Tensor = self.seg_1(self.pool(fused))
        return embedding

    def stem(self, features: Tensor) -> Tensor:
        """Maps `[batch, frames, bins]` to `[batch, channels, bins, frames]`, channels last."""
        image = features.transpose(1, 2).unsqueeze(1)
        # Channels last spares CPU convolutions a change of layout: a sixth of a training step.
        stem = self.conv1(image).contiguous(memory_format=torch.channels_last)
        return clipped_relu(self.bn1(stem))


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
        self.conv2_1 = group_convolution(group)
        self.bn2_1 = BatchNorm2d(group)
        self.convs = nn.ModuleList(group_convolution(group) for _ in range(scale - 1))
        self.bns = nn.ModuleList(BatchNorm2d(group) for _ in range(scale - 1))
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


def _downsample(in_channels: int, out_channels: int) -> Conv2d:
    """Brings a stage's output to the next stage's shape, for the bottom-up path."""
    return Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)


def _halved(size: int, *, times: int) -> int:
    """The size after `times` padded 3-wide convolutions of stride 2, each rounding up."""
    for _ in range(times):
        size = (size + 1) // 2
    return size
