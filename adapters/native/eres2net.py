"""ERes2Net and ERes2NetV2: Res2Nets with local and global attentional feature fusion.

Chen et al., "An Enhanced Res2Net with Local and Global Feature Fusion for Speaker Verification",
Interspeech 2023, arXiv:2305.12838; Chen et al., "ERes2NetV2: Boosting Short-Duration Speaker
Verification Performance with Computational Efficiency", Interspeech 2024, arXiv:2406.02167.

Attribute names follow the state dict of published checkpoints, so that these load: ERes2Net's of
WeSpeaker, ERes2NetV2's of 3D-Speaker (WeSpeaker has no such network).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import StatisticsPooling
from adapters.native.recomputation import keep
from adapters.native.recomputed_layers import BatchNorm2d, Conv2d
from adapters.native.res2net import (
    AttentionalFusion,
    Bottleneck,
    Res2NetBlock,
    Res2NetStages,
    convolution3x3,
)


class ERes2NetBackbone(Res2NetStages):
    """ERes2Net speaker embedding network (arXiv:2305.12838).

    The last two of its four stages fuse the groups inside a block by attention (local feature
    fusion), and a bottom-up path fuses the outputs of all stages (global feature fusion). The
    defaults are the base network: 9,887,808 parameters with a 512-dimensional embedding, 6,610,688
    with 192. With `channels=64` it is the large one: 22,462,784 with 192.
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
        """Build the network.

        Args:
            bins: mel bins of the input.
            embedding_size: dimension of the embedding.
            channels, blocks, expansion, base_width, scale: as of `Res2NetStages`.
            reduction: divides the channels for the hidden layer of an attentional fusion.
            checkpointing: keep less for the backward pass, and compute convolutions twice.

        Raises:
            ValueError: `blocks` does not name four stages.
        """
        fusing = partial(FusingBlock, reduction=reduction)
        super().__init__(
            fusing,
            blocks,
            channels=channels,
            expansion=expansion,
            base_width=base_width,
            scale=scale,
        )
        first, second, third, fourth = (channels * expansion * 2**stage for stage in range(4))
        self.layer1_downsample = _downsample(first, second)
        self.layer2_downsample = _downsample(second, third)
        self.layer3_downsample = _downsample(third, fourth)
        self.fuse_mode12 = AttentionalFusion(second, reduction=reduction)
        self.fuse_mode123 = AttentionalFusion(third, reduction=reduction)
        self.fuse_mode1234 = AttentionalFusion(fourth, reduction=reduction)
        self.pool = StatisticsPooling()
        # Three strides, each rounding up, leave an eighth of the bins, rounded up.
        self.seg_1 = nn.Linear(2 * fourth * -(-bins // 8), embedding_size)
        keep(self, "inputs" if checkpointing else "convolutions")

    def forward(self, features: Tensor) -> Tensor:
        """Embed log mel filterbank energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.
        """
        stem = self.start(features)
        stage1 = self.layer1(stem)
        stage2 = self.layer2(stage1)
        stage3 = self.layer3(stage2)
        stage4 = self.layer4(stage3)
        fused = self.fuse_mode12(stage2, self.layer1_downsample(stage1))
        fused = self.fuse_mode123(stage3, self.layer2_downsample(fused))
        fused = self.fuse_mode1234(stage4, self.layer3_downsample(fused))
        embedding: Tensor = self.seg_1(self.pool(fused))
        return embedding


class ERes2NetV2Backbone(Res2NetStages):
    """ERes2NetV2 speaker embedding network (arXiv:2406.02167).

    The output of the third stage is fused into that of the fourth (the paper's bottom-up dual-stage
    feature fusion, where ERes2Net fuses all four). The defaults are the paper's network:
    17,859,632 parameters.
    """

    def __init__(
        self,
        *,
        bins: int = 80,
        embedding_size: int = 192,
        channels: int = 64,
        blocks: Sequence[int] = (3, 4, 6, 3),
        expansion: int = 2,
        base_width: int = 26,
        scale: int = 2,
        reduction: int = 4,
        checkpointing: bool = False,
    ) -> None:
        """Build the network; see `ERes2NetBackbone` for the arguments.

        Raises:
            ValueError: `blocks` does not name four stages.
        """
        fusing = partial(FusingBlockV2, reduction=reduction)
        super().__init__(
            fusing,
            blocks,
            channels=channels,
            expansion=expansion,
            base_width=base_width,
            scale=scale,
        )
        width = 8 * channels * expansion
        self.layer3_ds = _downsample(width // 2, width)
        self.fuse34 = AttentionalFusion(width, reduction=reduction)
        # 3D-Speaker's floor under the root; WeSpeaker's networks have ten times as much.
        self.pool = StatisticsPooling(floor=1e-8)
        self.seg_1 = nn.Linear(2 * width * -(-bins // 8), embedding_size)
        keep(self, "inputs" if checkpointing else "convolutions")

    def forward(self, features: Tensor) -> Tensor:
        """Embed log mel filterbank energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.

        Raises:
            ValueError: fewer than nine frames, of which the strides leave one.
        """
        stem = self.start(features)
        third = self.layer3(self.layer2(self.layer1(stem)))
        fourth = self.layer4(third)
        embedding: Tensor = self.seg_1(self.pool(self.fuse34(fourth, self.layer3_ds(third))))
        return embedding

    def activate(self, hidden: Tensor) -> Tensor:
        """Apply a ReLU without a ceiling, in place."""
        return functional.relu(hidden, inplace=True)


class FusingBlock(Bottleneck):
    """Fuses each group's output with the next group's input by attention.

    The local feature fusion of arXiv:2305.12838.
    """

    def __init__(
        self, in_channels: int, *, group: int, scale: int, reduction: int, **shape: int
    ) -> None:
        """Build the block; `reduction` is the fusion's, the rest as in `Bottleneck`."""
        super().__init__(in_channels, group=group, scale=scale, **shape)
        self.conv2_1 = convolution3x3(group)
        self.bn2_1 = BatchNorm2d(group)
        self.convs = nn.ModuleList(convolution3x3(group) for _ in range(scale - 1))
        self.bns = nn.ModuleList(BatchNorm2d(group) for _ in range(scale - 1))
        self.fuse_models = _fusions(group, scale, reduction)

    def join(self, index: int, before: Tensor, group: Tensor) -> Tensor:
        """Fuse the output of the group before with a group."""
        joined: Tensor = self.fuse_models[index - 1](before, group)
        return joined

    def branch(self, index: int) -> tuple[nn.Module, nn.Module]:
        """Return the convolution and the normalisation of a group."""
        if index == 0:
            return self.conv2_1, self.bn2_1
        return self.convs[index - 1], self.bns[index - 1]


class FusingBlockV2(Res2NetBlock):
    """Fuses each group's output with the next group's input by attention.

    The bottleneck-like local feature fusion of arXiv:2406.02167. It computes what ERes2Net's block
    does; only the names of its weights differ.
    """

    def __init__(
        self, in_channels: int, *, group: int, scale: int, reduction: int, **shape: int
    ) -> None:
        """Build the block; `reduction` is the fusion's, the rest as in `Bottleneck`."""
        super().__init__(in_channels, group=group, scale=scale, **shape)
        self.fuse_models = _fusions(group, scale, reduction)

    def join(self, index: int, before: Tensor, group: Tensor) -> Tensor:
        """Fuse the output of the group before with a group."""
        joined: Tensor = self.fuse_models[index - 1](before, group)
        return joined


def _downsample(in_channels: int, out_channels: int) -> Conv2d:
    """Build the convolution that brings a stage's output to the next stage's shape."""
    return Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)


def _fusions(channels: int, scale: int, reduction: int) -> nn.ModuleList:
    return nn.ModuleList(AttentionalFusion(channels, reduction=reduction) for _ in range(scale - 1))
