"""Networks of SpeechBrain (https://speechbrain.github.io) behind the interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.adapter import Fbank

if TYPE_CHECKING:
    from torch import nn

_RES2NET_SCALE = 8
_REFLECTED = 4
"""Frames by which the widest convolution pads, in a mirror that must be longer than that."""


@dataclass(frozen=True, kw_only=True)
class EcapaTdnn:
    """ECAPA-TDNN as SpeechBrain writes it (Desplanques et al., 2020, arXiv:2005.07143).

    With 80 bins and an embedding of 192: 6,194,048 parameters at 512 channels, 20,767,552 at
    1024.

    Attributes:
        channels: channels of the convolutions; a multiple of 8, the Res2Net scale.
        embedding_size: length of the embedding.
        bins: mel bins of the input.
        dropout: share of channels dropped after each TDNN layer, in training.
    """

    channels: int = 512
    embedding_size: int = 192
    bins: int = 80
    dropout: float = 0.0

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the fields, before SpeechBrain refuses them late or not at all.

        Raises:
            ValueError: `channels` is no positive multiple of 8.
        """
        if self.channels < 1 or self.channels % _RES2NET_SCALE:
            raise ValueError(
                f"channels must be a positive multiple of {_RES2NET_SCALE}, got {self.channels}"
            )

    def inputs(self) -> Fbank:
        """Return Kaldi filterbanks with a Hamming window, mean subtracted."""
        return Fbank(bins=self.bins, window="hamming", scale=32768.0, least_frames=_REFLECTED + 1)

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.ecapa import EcapaTdnnBackbone

        return EcapaTdnnBackbone(
            self.bins,
            lin_neurons=self.embedding_size,
            channels=[self.channels] * 4 + [3 * self.channels],
            dropout=self.dropout,
            res2net_scale=_RES2NET_SCALE,
        )
