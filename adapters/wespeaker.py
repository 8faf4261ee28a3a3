"""Speaker networks of the WeSpeaker recipes, with WeSpeaker's front end."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.adapter import ADDED, Fbank

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class WeSpeakerModel:
    """The front end that the networks of this file share.

    Attributes:
        bins: mel bins of the input.
        front_end: filterbanks of `wespeaker`; or those of `3d-speaker`, on which the checkpoints
            that it publishes were trained.
        least_frames: fewest frames that leave enough for the pooling after the network's strides:
            two for a deviation, one if attention is given a floor.
    """

    bins: int = 80
    front_end: Literal["wespeaker", "3d-speaker"] = field(default="wespeaker", metadata=ADDED)

    least_frames: ClassVar[int]

    def inputs(self) -> Fbank:
        """Return WeSpeaker's filterbanks: 16-bit range, Hamming window, dither of 1 in training.

        3D-Speaker's are of a Povey window over a waveform in -1..1, without dither.
        """
        if self.front_end == "3d-speaker":
            return Fbank(bins=self.bins, window="povey", scale=1.0, least_frames=self.least_frames)
        return Fbank(
            bins=self.bins,
            window="hamming",
            scale=32768.0,
            dither=1.0,
            subtract_mean=True,
            least_frames=self.least_frames,
        )

    def arguments(self) -> dict[str, Any]:
        """Return the fields that the network is built from."""
        return {name: value for name, value in asdict(self).items() if name != "front_end"}


@dataclass(frozen=True, kw_only=True)
class CheckpointingModel(WeSpeakerModel):
    """A network that can be trained with less memory.

    Attributes:
        checkpointing: keep the inputs of blocks alone for the backward pass, and compute the rest
            once more: a fifth more time, a third of the memory, the same result but for rounding.
    """

    checkpointing: bool = field(default=False, metadata=ADDED)


@dataclass(frozen=True, kw_only=True)
class CamPlusPlus(CheckpointingModel):
    """CAM++ (Wang et al., 2023, arXiv:2303.00332): 7,176,224 parameters by default.

    Attributes:
        embedding_size: length of the embedding.
    """

    embedding_size: int = 512

    version: ClassVar[int] = 2
    least_frames: ClassVar[int] = 3

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.campplus import CamPlusPlusBackbone

        return CamPlusPlusBackbone(**self.arguments())


@dataclass(frozen=True, kw_only=True)
class ERes2Net(CheckpointingModel):
    """ERes2Net (Chen et al., 2023, arXiv:2305.12838).

    Attributes:
        embedding_size: length of the embedding.
        channels: channels of the first stage: 32 is the base network, 64 the large one.
    """

    embedding_size: int = 512
    channels: int = 32

    version: ClassVar[int] = 2
    least_frames: ClassVar[int] = 9

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.eres2net import ERes2NetBackbone

        return ERes2NetBackbone(**self.arguments())


@dataclass(frozen=True, kw_only=True)
class ResNet34(WeSpeakerModel):
    """ResNet34 with temporal statistics pooling: 6,634,336 parameters by default.

    Attributes:
        embedding_size: length of the embedding.
        channels: channels of the first stage.
    """

    embedding_size: int = 256
    channels: int = 32

    version: ClassVar[int] = 1
    least_frames: ClassVar[int] = 9

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.resnet import ResNet

        return ResNet(**self.arguments())


@dataclass(frozen=True, kw_only=True)
class AttentiveResNet34(WeSpeakerModel):
    """ResNet34 with attentive pooling: 7,292,384 parameters by default.

    Attributes:
        pooling: `astp` weighs frames by one attention (Okabe et al., 2018, arXiv:1803.10963),
            `mqmhastp` by two queries of eight heads (Zhao et al., 2022, arXiv:2110.05042).
        embedding_size: length of the embedding.
        channels: channels of the first stage.
    """

    pooling: Literal["astp", "mqmhastp"] = "astp"
    embedding_size: int = 256
    channels: int = 32

    version: ClassVar[int] = 1
    least_frames: ClassVar[int] = 1

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.resnet import AttentiveResNet

        return AttentiveResNet(**self.arguments())


@dataclass(frozen=True, kw_only=True)
class SimAmResNet34(WeSpeakerModel):
    """ResNet34 with SimAM and attentive pooling (Qin et al., 2022, arXiv:2110.06534).

    25,213,760 parameters by default; the network of VoxBlink2's checkpoints.

    Attributes:
        embedding_size: length of the embedding.
        channels: channels of the first stage.
        blocks: blocks in each of the four stages; 6, 16, 24 and 3 are SimAM-ResNet100.
    """

    embedding_size: int = 256
    channels: int = 64
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)

    version: ClassVar[int] = 1
    least_frames: ClassVar[int] = 1

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.simam_resnet import SimAmResNet

        return SimAmResNet(**self.arguments())


@dataclass(frozen=True, kw_only=True)
class EcapaTdnnGlob(WeSpeakerModel):
    """ECAPA-TDNN as WeSpeaker writes it (Desplanques et al., 2020, arXiv:2005.07143).

    With 80 bins and an embedding of 192: 6,190,720 parameters at 512 channels, 14,657,088 at
    1024, where SpeechBrain's network has 20,767,552.

    Attributes:
        channels: channels of the convolutions; a multiple of 8, the Res2Net scale.
        embedding_size: length of the embedding.
    """

    channels: int = 512
    embedding_size: int = 192

    version: ClassVar[int] = 1
    least_frames: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `channels` is no positive multiple of 8.
        """
        if self.channels < 1 or self.channels % 8:
            raise ValueError(f"channels must be a positive multiple of 8, got {self.channels}")

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.ecapa_glob import EcapaGlobBackbone

        return EcapaGlobBackbone(**self.arguments())


@dataclass(frozen=True, kw_only=True)
class ERes2NetV2(CheckpointingModel):
    """ERes2NetV2 (Chen et al., 2024, arXiv:2406.02167): 17,859,632 parameters by default.

    The network and the names of its weights are 3D-Speaker's.

    Attributes:
        embedding_size: length of the embedding.
        channels: channels of the first stage.
        base_width: channels of a block's group where the stage has 64.
        scale: groups in a block.
        expansion: channels a block returns, over the channels of its stage.
    """

    embedding_size: int = 192
    channels: int = 64
    base_width: int = 26
    scale: int = 2
    expansion: int = 2

    version: ClassVar[int] = 1
    least_frames: ClassVar[int] = 9

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.eres2net import ERes2NetV2Backbone

        return ERes2NetV2Backbone(**self.arguments())


@dataclass(frozen=True, kw_only=True)
class XVector(WeSpeakerModel):
    """The x-vector network (Snyder et al., 2018): 4,610,524 parameters by default.

    Attributes:
        embedding_size: length of the embedding.
        pooling: `tstp` counts all frames alike, `astp` weighs them by attention.
    """

    embedding_size: int = 512
    pooling: Literal["tstp", "astp"] = "tstp"

    version: ClassVar[int] = 1
    least_frames: ClassVar[int] = 16

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.xvector import XVectorBackbone

        return XVectorBackbone(**self.arguments())
