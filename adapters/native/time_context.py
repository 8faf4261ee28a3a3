"""ReDimNet2's 1D block: convolutions over ever longer stretches of time, then self-attention.

Yakovlev et al., "Reshape Dimensions Network for Speaker Recognition", Interspeech 2024,
arXiv:2407.18223: convolutions in the manner of ConvNeXt (Liu et al., 2022,
arXiv:2201.03545), and an encoder layer of a transformer (Vaswani et al., 2017, arXiv:1706.03762).

Attribute names follow the state dict of published checkpoints, so that these load.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional


class TimeContextBlock(nn.Module):
    """Brings features to fewer, looks along time, and adds what it finds to all features."""

    kernels: ClassVar[tuple[int, ...]] = (7, 19, 31, 59)

    def __init__(self, features: int, width: int) -> None:
        """Build the block.

        Args:
            features: of a frame, in and out.
            width: of a frame within.
        """
        super().__init__()
        self.red_dim_conv = nn.Sequential(nn.Conv1d(features, width, 1), ChannelNorm(width))
        self.tcm = nn.Sequential(
            *(TimeConvolution(width, kernel) for kernel in self.kernels), EncoderLayer(width)
        )
        self.exp_dim_conv = nn.Conv1d(width, features, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, features, frames]` to the same shape."""
        found: Tensor = self.exp_dim_conv(self.tcm(self.red_dim_conv(frames)))
        return frames + found


class TimeConvolution(nn.Module):
    """A convolution by channel and a mixing of channels, around a shortcut."""

    def __init__(self, channels: int, kernel: int) -> None:
        """Build the block; `kernel` is odd."""
        super().__init__()
        by_channel = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.dwconvs = nn.ModuleList([by_channel])
        self.norm = nn.BatchNorm1d(channels)
        self.pwconv1 = nn.Conv1d(channels, channels, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, channels, frames]` to the same shape."""
        convolved = self.norm(self.dwconvs[0](frames))
        mixed: Tensor = self.pwconv1(functional.gelu(convolved))
        return frames + mixed


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward layer, each normalised after its shortcut."""

    def __init__(self, size: int) -> None:
        """Build the layer."""
        super().__init__()
        self.attention = SelfAttention(size)
        self.layer_norm = nn.LayerNorm(size, eps=1e-6)
        self.feed_forward = FeedForward(size)
        self.final_layer_norm = nn.LayerNorm(size, eps=1e-6)

    def forward(self, frames: Tensor) -> Tensor:
        """Map `[batch, size, frames]` to the same shape."""
        rows = frames.transpose(1, 2)
        rows = self.layer_norm(rows + self.attention(rows))
        mapped: Tensor = self.final_layer_norm(rows + self.feed_forward(rows))
        return mapped.transpose(1, 2)


class SelfAttention(nn.Module):
    """Scaled dot products of all frames with all, in four heads."""

    heads: ClassVar[int] = 4

    def __init__(self, size: int) -> None:
        """Build the projections.

        Raises:
            ValueError: the heads do not divide `size`.
        """
        super().__init__()
        if size % self.heads:
            raise ValueError(f"{size} features cannot be cut into {self.heads} heads")
        self.k_proj = nn.Linear(size, size)
        self.v_proj = nn.Linear(size, size)
        self.q_proj = nn.Linear(size, size)
        self.out_proj = nn.Linear(size, size)

    def forward(self, rows: Tensor) -> Tensor:
        """Map `[batch, frames, size]` to the same shape."""
        queries, keys, values = (
            projection(rows).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        attended = functional.scaled_dot_product_attention(queries, keys, values)
        mixed: Tensor = self.out_proj(attended.transpose(1, 2).flatten(2))
        return mixed


class FeedForward(nn.Module):
    """Two layers by frame, as wide within as without."""

    def __init__(self, size: int) -> None:
        """Build the layers."""
        super().__init__()
        self.intermediate_dense = nn.Linear(size, size)
        self.output_dense = nn.Linear(size, size)

    def forward(self, rows: Tensor) -> Tensor:
        """Map `[batch, frames, size]` to the same shape."""
        hidden = functional.gelu(self.intermediate_dense(rows), approximate="tanh")
        mapped: Tensor = self.output_dense(hidden)
        return mapped


class ChannelNorm(nn.LayerNorm):
    """A layer normalisation over the second axis, `[batch, channels, ...]`."""

    def __init__(self, channels: int) -> None:
        """Build the normalisation."""
        super().__init__(channels, eps=1e-6)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name that it overrides)
        """Normalise each place by its channels."""
        return torch.movedim(super().forward(torch.movedim(input, 1, -1)), -1, 1)
