"""A plain convolutional network on mel bins, for short sounds and small corpora."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.adapter import Fbank, Spectrogram

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class SpectrogramCnn:
    """Convolutions of 3 x 3 with pooling, then the mean and the maximum over time and frequency.

    Attributes:
        channels: of each layer.
        bins: mel bins.
        dropout: share of the embedding that is dropped in training.
    """

    channels: tuple[int, ...] = (24, 48, 96, 192)
    bins: int = 40
    dropout: float = 0.3

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: there is no layer, a layer has no channel, or `dropout` is not from 0 to
                under 1.
        """
        if not self.channels or min(self.channels) < 1:
            raise ValueError(f"channels must name one layer at least, each over 0: {self.channels}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be from 0 to under 1, got {self.dropout}")

    @property
    def embedding_size(self) -> int:
        """Length of the embedding: the last layer's means and maxima."""
        return 2 * self.channels[-1]

    def inputs(self) -> Fbank | Spectrogram:
        """Return log-mel spectrograms, each normalised by itself."""
        return Spectrogram(bins=self.bins)

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, 1, bins, frames]` -> `[batch, embedding_size]`."""
        from adapters.native.plain_cnn import PlainCnn

        return PlainCnn(self.channels, dropout=self.dropout)


@dataclass(frozen=True, kw_only=True)
class FilterbankCnn(SpectrogramCnn):
    """The same network on filterbanks, which keep the level of a sound: how loud it is."""

    def inputs(self) -> Fbank:
        """Return log-mel filterbanks of a waveform in -1..1, no mean taken off."""
        return Fbank(bins=self.bins, scale=1.0, subtract_mean=False)

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from torch import nn

        return nn.Sequential(nn.Unflatten(1, (1, -1)), super().build())
