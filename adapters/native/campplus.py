"""CAM++: a densely connected TDNN with context-aware masking.

Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware
Masking", Interspeech 2023, arXiv:2303.00332.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.pooling import StatisticsPooling
from adapters.native.recomputation import Lean, Stretch, keep, stretch
from adapters.native.recomputed_layers import BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, add_and_clip


class CamPlusPlusBackbone(nn.Module):
    """CAM++ speaker embedding network (arXiv:2303.00332, figure 1).

    A two-dimensional convolutional front end, three densely connected TDNN blocks whose layers
    mask themselves by their context, statistics pooling, and one affine layer. The defaults are
    the paper's network: 7,176,224 parameters with a 512-dimensional embedding, 6,848,544 with 192.
    """

    def __init__(
        self,
        *,
        bins: int = 80,
        embedding_size: int = 512,
        front_channels: int = 32,
        channels: int = 128,
        growth: int = 32,
        bottleneck: int = 128,
        blocks: Sequence[int] = (12, 24, 16),
        dilations: Sequence[int] = (1, 2, 2),
        segment: int = 100,
        checkpointing: bool = False,
    ) -> None:
        """Build the network.

        Args:
            bins: mel bins of the input.
            embedding_size: dimension of the embedding.
            front_channels: channels of the convolutional front end.
            channels: channels of the TDNN layer before the first dense block.
            growth: channels every dense layer adds.
            bottleneck: channels inside a dense layer, before its time convolution.
            blocks: dense layers in each block.
            dilations: dilation of the time convolutions in each block.
            segment: frames (at half the input's rate) in a segment of the segment pooling.
            checkpointing: keep less for the backward pass, and compute convolutions twice.

        Raises:
            ValueError: `blocks` and `dilations` differ in length.
        """
        super().__init__()
        if len(blocks) != len(dilations):
            raise ValueError(
                f"every block needs a dilation: got {len(blocks)} blocks, "
                f"{len(dilations)} dilations"
            )
        self.head = FrontEnd(bins=bins, channels=front_channels)

        stages: OrderedDict[str, nn.Module] = OrderedDict()
        stages["tdnn"] = StridedTimeLayer(self.head.out_channels, channels)
        width = channels
        for number, (layers, dilation) in enumerate(zip(blocks, dilations, strict=True), start=1):
            shape = {"bottleneck": bottleneck, "dilation": dilation, "segment": segment}
            stages[f"block{number}"] = DenseBlock(width, layers=layers, growth=growth, **shape)
            width += layers * growth
            stages[f"transit{number}"] = Transition(width, width // 2)
            width //= 2
        stages["out_nonlinear"] = norm_relu(width)
        stages["stats"] = StatisticsPooling()
        stages["dense"] = EmbeddingLayer(2 * width, embedding_size)
        self.xvector = nn.Sequential(stages)
        self.apply(_initialise)
        keep(self, "inputs" if checkpointing else "convolutions")

    def forward(self, features: Tensor) -> Tensor:
        """Embed log mel filterbank energies `[batch, frames, bins]` as `[batch, embedding_size]`.

        Embeddings are not length-normalised.
        """
        embedding: Tensor = self.xvector(self.head(features))
        return embedding


class FrontEnd(Lean):
    """Front-end convolution module: residual 2-D convolutions that keep the frame rate.

    The FCM of arXiv:2303.00332. Frequency is halved three times, then folded into the channels.
    """

    def __init__(self, *, bins: int, channels: int) -> None:
        """Build the module for `bins` mel bins, with `channels` channels throughout."""
        super().__init__()
        self.conv1 = Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = BatchNorm2d(channels)
        self.layer1 = nn.Sequential(FrontEndBlock(channels, halve=True), FrontEndBlock(channels))
        self.layer2 = nn.Sequential(FrontEndBlock(channels, halve=True), FrontEndBlock(channels))
        self.conv2 = Conv2d(channels, channels, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = BatchNorm2d(channels)
        # Three strides, each rounding up, leave an eighth of the bins, rounded up.
        self.out_channels = channels * -(-bins // 8)

    def forward(self, features: Tensor) -> Tensor:
        """Map `[batch, frames, bins]` to `[batch, out_channels, frames]`."""
        first, last = (self.conv1, self.bn1), (self.conv2, self.bn2)
        hidden = stretch(self.stem, features, layers=first, keeps=self.keeps)
        hidden = self.layer2(self.layer1(hidden))
        return stretch(self.fold_bins, hidden, layers=last, keeps=self.keeps)

    def stem(self, features: Tensor) -> Tensor:
        """Map `[batch, frames, bins]` to `[batch, channels, bins, frames]`, channels last."""
        image = features.transpose(1, 2).unsqueeze(1)
        # Channels last spares CPU convolutions a change of layout: a tenth of a training step.
        stem = self.conv1(image).contiguous(memory_format=torch.channels_last)
        return functional.relu(self.bn1(stem), inplace=True)

    def fold_bins(self, hidden: Tensor) -> Tensor:
        """Map `[batch, channels, bins, frames]` to `[batch, out_channels, frames]`."""
        hidden = functional.relu(self.bn2(self.conv2(hidden)), inplace=True)
        return hidden.flatten(1, 2)


class FrontEndBlock(Stretch):
    """Two 3x3 convolutions and a shortcut (He et al., 2016); `halve` strides over frequency."""

    def __init__(self, channels: int, *, halve: bool = False) -> None:
        """Build the block; the shortcut is a 1x1 convolution if it has to halve, too."""
        super().__init__()
        stride = (2, 1) if halve else (1, 1)
        self.conv1 = Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if halve:
            self.shortcut.append(Conv2d(channels, channels, 1, stride=stride, bias=False))
            self.shortcut.append(BatchNorm2d(channels))

    def body(self, image: Tensor) -> Tensor:
        """Map `[batch, channels, bins, frames]` to the same, `bins` halved with `halve`."""
        hidden: Tensor = functional.relu(self.bn1(self.conv1(image)), inplace=True)
        hidden = self.conv2(hidden)
        return add_and_clip(self.bn2, hidden, self.shortcut(image), ceiling=math.inf)


class StridedTimeLayer(Stretch):
    """The first TDNN layer: context of five frames, half the frame rate."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Build the layer."""
        super().__init__()
        self.linear = Conv1d(in_channels, out_channels, 5, stride=2, padding=2, bias=False)
        self.nonlinear = norm_relu(out_channels)

    def body(self, frames: Tensor) -> Tensor:
        """Map `[batch, in_channels, frames]` to `[batch, out_channels, ceil(frames / 2)]`."""
        hidden: Tensor = self.nonlinear(self.linear(frames))
        return hidden


class DenseBlock(nn.Sequential):
    """Densely connected layers (D-TDNN; Yu and Li, 2020), named `tdnnd1`, `tdnnd2`, ...

    Every layer is given what all before it returned, in parts: joined anew inside each layer's
    stretch, the parts are kept once for all layers.
    """

    def __init__(self, in_channels: int, *, layers: int, growth: int, **shape: int) -> None:
        """Build the layers.

        Args:
            in_channels: channels of the block's input.
            layers: number of layers; each adds a part of `growth` channels.
            growth: channels every layer adds.
            shape: the other arguments of `DenseLayer`.
        """
        super().__init__()
        for index in range(layers):
            layer = DenseLayer(in_channels + index * growth, growth=growth, **shape)
            self.add_module(f"tdnnd{index + 1}", layer)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name that it overrides)
        """Map `[batch, in_channels, frames]` to it, joined by what each layer adds."""
        parts = [input]
        for layer in self:
            parts.append(layer(*parts))
        return torch.cat(parts, dim=1)


class DenseLayer(Stretch):
    """One D-TDNN layer: bottleneck and masked time convolution."""

    def __init__(
        self, in_channels: int, *, growth: int, bottleneck: int, dilation: int, segment: int
    ) -> None:
        """Build the layer.

        Args:
            in_channels: channels of the input.
            growth: channels of the output.
            bottleneck: channels before the time convolution.
            dilation: dilation of the time convolution.
            segment: frames in a segment of the segment pooling.
        """
        super().__init__()
        self.nonlinear1 = norm_relu(in_channels)
        self.linear1 = Conv1d(in_channels, bottleneck, 1, bias=False)
        self.nonlinear2 = norm_relu(bottleneck)
        self.cam_layer = ContextAwareMasking(bottleneck, growth, dilation=dilation, segment=segment)

    def body(self, *parts: Tensor) -> Tensor:
        """Map `[batch, ..., frames]`, of `in_channels` in all, to `[batch, growth, frames]`."""
        hidden = self.linear1(self.nonlinear1(torch.cat(parts, dim=1)))
        grown: Tensor = self.cam_layer(self.nonlinear2(hidden))
        return grown


class ContextAwareMasking(nn.Module):
    """A time convolution, masked by the context of its utterance and its segment.

    The context-aware masking and multi-granularity pooling of arXiv:2303.00332: the mask is
    `sigmoid(W2 relu(W1 (e_g + e_s) + b1) + b2)`, where `e_g` is the mean over the utterance and
    `e_s` the mean over the segment that the frame lies in.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dilation: int,
        segment: int,
        kernel: int = 3,
        reduction: int = 2,
    ) -> None:
        """Build the layer.

        Args:
            in_channels: channels of the input, and of the context.
            out_channels: channels of the convolution and of its mask.
            dilation: dilation of the convolution.
            segment: frames in a segment.
            kernel: width of the convolution; odd.
            reduction: divides `in_channels` for the mask's hidden layer.
        """
        super().__init__()
        self.segment = segment
        padding = dilation * (kernel // 2)
        self.linear_local = Conv1d(
            in_channels, out_channels, kernel, padding=padding, dilation=dilation, bias=False
        )
        self.linear1 = Conv1d(in_channels, in_channels // reduction, 1)
        self.linear2 = Conv1d(in_channels // reduction, out_channels, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, in_channels, frames]` to `[batch, out_channels, frames]`."""
        local: Tensor = self.linear_local(frames)
        # All frames of a segment share one context, hence one mask: it is computed once a segment.
        hidden = functional.relu(self.linear1(self._contexts(frames)), inplace=True)
        masks = torch.sigmoid(self.linear2(hidden))
        if masks.shape[-1] > 1:
            masks = masks.repeat_interleave(self.segment, dim=-1)[..., : frames.shape[-1]]
        return local * masks

    def _contexts(self, frames: Tensor) -> Tensor:
        """Return the utterance's mean plus each segment's, `[batch, channels, segments]`."""
        utterance = frames.mean(dim=-1, keepdim=True)
        if frames.shape[-1] <= self.segment:
            return 2 * utterance
        # With `ceil_mode` a shorter last segment is averaged over the frames it has.
        segments = functional.avg_pool1d(frames, self.segment, self.segment, ceil_mode=True)
        return utterance + segments


class Transition(Stretch):
    """Narrows the features after a dense block."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Build the layer."""
        super().__init__()
        self.nonlinear = norm_relu(in_channels)
        self.linear = Conv1d(in_channels, out_channels, 1, bias=False)

    def body(self, frames: Tensor) -> Tensor:
        """Map `[batch, in_channels, frames]` to `[batch, out_channels, frames]`."""
        hidden: Tensor = self.linear(self.nonlinear(frames))
        return hidden


class EmbeddingLayer(nn.Module):
    """The last layer: linear, then batch normalisation without scale and shift."""

    def __init__(self, in_channels: int, embedding_size: int) -> None:
        """Build the layer."""
        super().__init__()
        # A convolution of one frame, because published checkpoints hold its weight as such.
        self.linear = Conv1d(in_channels, embedding_size, 1, bias=False)
        self.nonlinear = nn.Sequential(
            OrderedDict(batchnorm=BatchNorm1d(embedding_size, affine=False))
        )

    def forward(self, statistics: Tensor) -> Tensor:
        """Map `[batch, in_channels]` to `[batch, embedding_size]`."""
        embedding: Tensor = self.nonlinear(self.linear(statistics.unsqueeze(-1)).squeeze(-1))
        return embedding


def norm_relu(channels: int) -> nn.Sequential:
    """Build batch normalisation (named `batchnorm`), then ReLU."""
    return nn.Sequential(OrderedDict(batchnorm=BatchNorm1d(channels), relu=nn.ReLU(inplace=True)))


def _initialise(module: nn.Module) -> None:
    """Initialise time convolutions for ReLU (He et al., 2015), their biases to zero."""
    if isinstance(module, nn.Conv1d):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
