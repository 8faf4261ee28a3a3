"""Speaker networks of the WeSpeaker recipes, with WeSpeaker's front end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.adapter import Fbank

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class CamPlusPlus:
    """CAM++ (Wang et al., 2023, arXiv:2303.00332): 7,176,224 parameters by default.

    Attributes:
        embedding_size: length of the embedding.
        bins: mel bins of the input.
    """

    embedding_size: int = 512
    bins: int = 80

    version: ClassVar[int] = 1

    def inputs(self) -> Fbank:
        """WeSpeaker's filterbanks."""
        return _front_end(self.bins)

    def build(self) -> nn.Module:
        """Make the trunk: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native import campplus

        return campplus.CamPlusPlus(bins=self.bins, embedding_size=self.embedding_size)


@dataclass(frozen=True, kw_only=True)
class ERes2Net:
    """ERes2Net (Chen et al., 2023, arXiv:2305.12838).

    Attributes:
        embedding_size: length of the embedding.
        channels: channels of the first stage: 32 is the base network, 64 the large one.
        bins: mel bins of the input.
    """

    embedding_size: int = 512
    channels: int = 32
    bins: int = 80

    version: ClassVar[int] = 1

    def inputs(self) -> Fbank:
        """WeSpeaker's filterbanks."""
        return _front_end(self.bins)

    def build(self) -> nn.Module:
        """Make the trunk: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native import eres2net

        return eres2net.ERes2Net(
            bins=self.bins, embedding_size=self.embedding_size, channels=self.channels
        )


@dataclass(frozen=True, kw_only=True)
class ResNet34:
    """ResNet34 with temporal statistics pooling: 6,634,336 parameters by default.

    Attributes:
        embedding_size: length of the embedding.
        channels: channels of the first stage.
        bins: mel bins of the input.
    """

    embedding_size: int = 256
    channels: int = 32
    bins: int = 80

    version: ClassVar[int] = 1

    def inputs(self) -> Fbank:
        """WeSpeaker's filterbanks."""
        return _front_end(self.bins)

    def build(self) -> nn.Module:
        """Make the trunk: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native import resnet

        return resnet.ResNet(
            bins=self.bins, embedding_size=self.embedding_size, channels=self.channels
        )


def _front_end(bins: int) -> Fbank:
    """The filterbanks of WeSpeaker: 16-bit range, Hamming window, dither of 1 in training."""
    return Fbank(bins=bins, window="hamming", scale=32768.0, dither=1.0, subtract_mean=True)
