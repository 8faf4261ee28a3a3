"""Res2Net blocks with attentional fusion, and the stages of ERes2Net and ERes2NetV2.

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

from adapters.native.recomputation import Lean, Stretch, stretch
from adapters.native.recomputed_layers import BatchNorm2d, Conv2d, add_and_clip, convolve_parts

CEILING = 20.0
"""Largest value of the activation, where it saturates."""


class Res2NetStages(Lean):
    """A stem and four stages; each stage but the first halves both axes and doubles channels.

    The last two stages fuse the groups inside a block by attention.
    """

    def __init__(
        self,
        fusing: Callable[..., Bottleneck],
        blocks: Sequence[int],
        *,
        channels: int,
        expansion: int,
        base_width: int,
        scale: int,
    ) -> None:
        """Build the stages.

        Args:
            fusing: makes the blocks of the last two stages.
            blocks: blocks in each of the four stages.
            channels: channels of the first convolution; doubled from stage to stage.
            expansion: channels a block returns, over the channels of its stage.
            base_width: channels of one group in a stage of 64; in proportion elsewhere.
            scale: groups in a block.

        Raises:
            ValueError: `blocks` does not name four stages.
        """
        super().__init__()
        if len(blocks) != 4:
            raise ValueError(
                f"blocks: a network has four stages, got {len(blocks)}: {tuple(blocks)}"
            )
        self.conv1 = Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = BatchNorm2d(channels)
        stages, width = [], channels
        for number, count in enumerate(blocks):
            block = partial(
                fusing if number > 1 else Res2NetBlock,
                group=2**number * channels * base_width // 64,
                scale=scale,
                out_channels=2**number * channels * expansion,
            )
            first = block(width, stride=2 if number else 1)
            width = first.out_channels
            rest = (block(width, stride=1) for _ in range(count - 1))
            stages.append(nn.Sequential(first, *rest))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages

    def start(self, features: Tensor) -> Tensor:
        """Map `[batch, frames, bins]` to the first stage's input."""
        layers = (self.conv1, self.bn1)
        return stretch(self.stem, features, layers=layers, keeps=self.keeps)

    def stem(self, features: Tensor) -> Tensor:
        """Map `[batch, frames, bins]` to `[batch, channels, bins, frames]`, channels last."""
        image = features.transpose(1, 2).unsqueeze(1)
        # Channels last spares CPU convolutions a change of layout: a tenth or more of a step.
        return self.activate(
            self.bn1(self.conv1(image).contiguous(memory_format=torch.channels_last))
        )

    def activate(self, hidden: Tensor) -> Tensor:
        """Apply the activation of the stem, in place."""
        return saturating_relu(hidden)


class AttentionalFusion(Stretch):
    """Weighs two feature maps against each other, bin by bin.

    The attentional feature fusion of arXiv:2305.12838: with
    `u = tanh(BN(W2 silu(BN(W1 [x, y]))))` the result is `(1 + u) x + (1 - u) y`.
    """

    def __init__(self, channels: int, *, reduction: int) -> None:
        """Build the fusion of two maps; `reduction` divides the hidden layer's channels."""
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
        """Map two `[batch, channels, bins, frames]` to one of the same shape."""
        weight = convolve_parts(cast(Conv2d, self.local_att[0]), (first, second))
        for layer in self.local_att[1:]:
            weight = layer(weight)
        # The paper's sum, rearranged: fewer passes over memory.
        return torch.addcmul(first + second, weight, first - second)


class Bottleneck(Stretch):
    """1x1 convolutions around groups of channels that are convolved in a chain, and a shortcut.

    The first convolution's channels are cut into `scale` groups; each group is joined with the
    output of the one before and convolved, and the last convolution mixes them again.
    """

    def __init__(
        self, in_channels: int, *, group: int, scale: int, out_channels: int, stride: int
    ) -> None:
        """Build the shared layers.

        Args:
            in_channels: channels of the input.
            group: channels of one group.
            scale: number of groups.
            out_channels: channels of the output.
            stride: stride over frequency and time.
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
        """Map `[batch, in_channels, bins, frames]` to `[batch, out_channels, ...]`."""
        hidden = saturating_relu(self.bn1(self.conv1(image)))
        hidden = torch.cat(self.chain(torch.split(hidden, self.group, dim=1)), dim=1)
        hidden = self.conv3(hidden)
        return add_and_clip(self.bn3, hidden, self.shortcut(image), ceiling=CEILING)

    def chain(self, groups: Sequence[Tensor]) -> list[Tensor]:
        """Map groups of shape `[batch, group, bins, frames]` to as many of the same shape."""
        outputs: list[Tensor] = []
        for index, group in enumerate(groups):
            joined = self.join(index, outputs[-1], group) if outputs else group
            convolution, normalisation = self.branch(index)
            outputs.append(saturating_relu(normalisation(convolution(joined))))
        return outputs

    def join(self, index: int, before: Tensor, group: Tensor) -> Tensor:
        """Join the output of the group before with a group."""
        raise NotImplementedError

    def branch(self, index: int) -> tuple[nn.Module, nn.Module]:
        """Return the convolution and the normalisation of a group."""
        raise NotImplementedError


class Res2NetBlock(Bottleneck):
    """Adds each group's output to the next group's input (Res2Net; Gao et al., 2019)."""

    def __init__(self, in_channels: int, *, group: int, scale: int, **shape: int) -> None:
        """Build the block; see `Bottleneck` for the arguments."""
        super().__init__(in_channels, group=group, scale=scale, **shape)
        self.convs = nn.ModuleList(convolution3x3(group) for _ in range(scale))
        self.bns = nn.ModuleList(BatchNorm2d(group) for _ in range(scale))

    def join(self, index: int, before: Tensor, group: Tensor) -> Tensor:  # noqa: ARG002
        """Add the output of the group before."""
        return group + before

    def branch(self, index: int) -> tuple[nn.Module, nn.Module]:
        """Return the convolution and the normalisation of a group."""
        return self.convs[index], self.bns[index]


def saturating_relu(hidden: Tensor) -> Tensor:
    """Apply the ReLU that saturates at 20, in place."""
    return functional.hardtanh(hidden, 0.0, CEILING, inplace=True)


def convolution3x3(channels: int) -> Conv2d:
    """Build a 3x3 convolution that keeps the channels."""
    return Conv2d(channels, channels, 3, padding=1, bias=False)
