"""ERes2NetV2: ERes2Net with wider stages and fewer fusions.

Chen et al., "ERes2NetV2: Boosting Short-Duration Speaker Verification Performance with
Computational Efficiency", Interspeech 2024, arXiv:2406.02167.

Attribute names follow the state dict of the checkpoints that 3D-Speaker publishes, so that these
load; WeSpeaker has no such network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.lean import Lean, keep, stretch
from adapters.native.lean_layers import BatchNorm2d, Conv2d
from adapters.native.pooling import StatisticsPooling
from adapters.native.res2net import AttentionalFusion, Res2NetBlock, clipped_relu, four_stages


class ERes2NetV2(Lean):
    """ERes2NetV2 speaker embedding network (arXiv:2406.02167).

    Four stages of Res2Net blocks; the last two fuse the groups inside a block by attention, and
    the output of the third is fused into that of the fourth (the paper's bottom-up dual-stage
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

        width = 8 * channels * expansion
        self.layer3_ds = Conv2d(width // 2, width, 3, stride=2, padding=1, bias=False)
        self.fuse34 = AttentionalFusion(width, reduction=reduction)
        # 3D-Speaker's floor under the root; WeSpeaker's networks have ten times as much.
        self.pool = StatisticsPooling(floor=1e-8)
        # Three strides, each rounding up, leave an eighth of the bins, rounded up.
        self.seg_1 = nn.Linear(2 * width * -(-bins // 8), embedding_size)
        keep(self, "inputs" if checkpointing else "convolutions")

    def forward(self, features: Tensor) -> Tensor:
        """Embeds utterances.

        Args:
            features: `[batch, frames, bins]`, log mel filterbank energies.

        Returns:
            `[batch, embedding_size]`, not length-normalised.

        Raises:
            ValueError: With fewer than nine frames, of which the strides leave one.
        """
        stem_layers = (self.conv1, self.bn1)
        stem = stretch(self.stem, features, layers=stem_layers, keeps=self.keeps)
        third = self.layer3(self.layer2(self.layer1(stem)))
        fourth = self.layer4(third)
        embedding: Tensor = self.seg_1(self.pool(self.fuse34(fourth, self.layer3_ds(third))))
        return embedding

    def stem(self, features: Tensor) -> Tensor:
        """Maps `[batch, frames, bins]` to `[batch, channels, bins, frames]`, channels last."""
        image = features.transpose(1, 2).unsqueeze(1)
        # Channels last spares CPU convolutions a change of layout: a tenth of a training step.
        stem = self.conv1(image).contiguous(memory_format=torch.channels_last)
        return functional.relu(self.bn1(stem), inplace=True)


class FusionBlock(Res2NetBlock):
    """Fuses each group's output with the next group's input by attention.

    The bottleneck-like local feature fusion of arXiv:2406.02167. It computes what ERes2Net's block
    does; only the names of its weights differ.
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
        self.fuse_models = nn.ModuleList(
            AttentionalFusion(group, reduction=reduction) for _ in range(scale - 1)
        )

    def chain(self, groups: Sequence[Tensor]) -> list[Tensor]:
        """See `Bottleneck.chain`."""
        outputs: list[Tensor] = []
        for index, group in enumerate(groups):
            joined = self.fuse_models[index - 1](outputs[-1], group) if outputs else group
            outputs.append(clipped_relu(self.bns[index](self.convs[index](joined))))
        return outputs
