"""Speaker networks of the WeSpeaker recipes, with WeSpeaker's front end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

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


@dataclass(frozen=True, kw_only=True)
class AttentiveResNet34:
    """ResNet34 with attentive pooling: 7,292,384 parameters by default.

    Attributes:
        pooling: `astp` weighs frames by one attention (Okabe et al., 2018, arXiv:1803.10963),
            `mqmhastp` by two queries of eight heads (Zhao et al., 2022, arXiv:2110.05042).
        embedding_size: length of the embedding.
        channels: channels of the first stage.
        bins: mel bins of the input.
    """

    pooling: Literal["astp", "mqmhastp"] = "astp"
    embedding_size: int = 256
    channels: int = 32
    bins: int = 80

    version: ClassVar[int] = 1

    def inputs(self) -> Fbank:
        """WeSpeaker's filterbanks."""
        return _front_end(self.bins)

    def build(self) -> nn.Module:
        """Make the trunk: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native import attentive_resnet

        return attentive_resnet.AttentiveResNet(
            pooling=self.pooling,
            bins=self.bins,
            embedding_size=self.embedding_size,
            channels=self.channels,
        )


@dataclass(frozen=True, kw_only=True)
class EcapaTdnnGlob:
    """ECAPA-TDNN as WeSpeaker writes it (Desplanques et al., 2020, arXiv:2005.07143).

    With 80 bins and an embedding of 192: 6,190,720 parameters at 512 channels, 14,657,088 at
    1024, where SpeechBrain's network has 20,767,552.

    Attributes:
        channels: channels of the convolutions; a multiple of 8, the Res2Net scale.
        embedding_size: length of the embedding.
        bins: mel bins of the input.
    """

    channels: int = 512
    embedding_size: int = 192
    bins: int = 80

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be built, before anything is.

        Raises:
            ValueError: `channels` is no positive multiple of 8.
        """
        if self.channels < 1 or self.channels % 8:
            raise ValueError(f"channels must be a positive multiple of 8, got {self.channels}")

    def inputs(self) -> Fbank:
        """WeSpeaker's filterbanks."""
        return _front_end(self.bins)

    def build(self) -> nn.Module:
        """Make the trunk: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native import ecapa_glob

        return ecapa_glob.EcapaTdnnGlob(
            bins=self.bins, embedding_size=self.embedding_size, channels=self.channels
        )


@dataclass(frozen=True, kw_only=True)
class ERes2NetV2:
    """ERes2NetV2 (Chen et al., 2024, arXiv:2406.02167): 17,859,632 parameters by default.

    The network and the names of its weights are 3D-Speaker's.

    Attributes:
        embedding_size: length of the embedding.
        channels: channels of the first stage.
        base_width: channels of a block's group where the stage has 64.
        scale: groups in a block.
        expansion: channels a block returns, over the channels of its stage.
        bins: mel bins of the input.
        front_end: `wespeaker` as for the networks beside it; `3d-speaker` is what the checkpoints
            that 3D-Speaker publishes were trained on.
    """

    embedding_size: int = 192
    channels: int = 64
    base_width: int = 26
    scale: int = 2
    expansion: int = 2
    bins: int = 80
    front_end: Literal["wespeaker", "3d-speaker"] = "wespeaker"

    version: ClassVar[int] = 1

    def inputs(self) -> Fbank:
        """WeSpeaker's filterbanks, or 3D-Speaker's: a Povey window, -1..1, no dither."""
        if self.front_end == "3d-speaker":
            return Fbank(bins=self.bins, window="povey", scale=1.0)
        return _front_end(self.bins)

    def build(self) -> nn.Module:
        """Make the trunk: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native import eres2net_v2

        return eres2net_v2.ERes2NetV2(
            bins=self.bins,
            embedding_size=self.embedding_size,
            channels=self.channels,
            base_width=self.base_width,
            scale=self.scale,
            expansion=self.expansion,
        )


@dataclass(frozen=True, kw_only=True)
class XVector:
    """The x-vector network (Snyder et al., 2018): 4,610,524 parameters by default.

    Attributes:
        embedding_size: length of the embedding.
        pooling: `tstp` counts all frames alike, `astp` weighs them by attention.
        bins: mel bins of the input.
    """

    embedding_size: int = 512
    pooling: Literal["tstp", "astp"] = "tstp"
    bins: int = 80

    version: ClassVar[int] = 1

    def inputs(self) -> Fbank:
        """WeSpeaker's filterbanks."""
        return _front_end(self.bins)

    def build(self) -> nn.Module:
        """Make the trunk: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native import xvector

        return xvector.XVector(
            bins=self.bins, embedding_size=self.embedding_size, pooling=self.pooling
        )


def _front_end(bins: int) -> Fbank:
    """The filterbanks of WeSpeaker: 16-bit range, Hamming window, dither of 1 in training."""
    return Fbank(bins=bins, window="hamming", scale=32768.0, dither=1.0, subtract_mean=True)
