"""Any image network of timm behind the interface, trained from scratch.

Pretrained weights are never fetched: what they were trained on could overlap with a test set.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from harness.adapter import ADDED, Image, Spectrogram

if TYPE_CHECKING:
    from torch import nn

_PROBE_FRAMES = 128


@dataclass(frozen=True, kw_only=True)
class Timm:
    """A timm network on pictures.

    Attributes:
        network: timm's name of the network.
        size: side of the picture, in pixels.
        channels: channels of the picture: 1 or 3.
        dropout: share of the pooled features dropped in training.
        drop_path: chance that a residual branch is dropped in training (stochastic depth);
            0 passes nothing on, since not every network knows of it.
    """

    network: str = "efficientnet_b0"
    size: int = 224
    channels: int = 3
    dropout: float = 0.0
    drop_path: float = 0.0

    version: ClassVar[int] = 1

    @property
    def embedding_size(self) -> int:
        """Length of the pooled features, found without making any weights."""
        return _embedding_size(self.network, (self.channels, self.size, self.size))

    def inputs(self) -> Image:
        """Return square pictures."""
        return Image(size=self.size, channels=self.channels)

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, channels, size, size]` -> `[batch, embedding_size]`."""
        return _create(self.network, self.channels, self.dropout, self.drop_path)


@dataclass(frozen=True, kw_only=True)
class TimmSpectrogram:
    """A timm network on log-mel spectrograms as one-channel pictures of any width.

    Attributes:
        network: timm's name of the network; one that takes pictures of any size.
        bins: mel bins, the height of the picture.
        dropout, drop_path: as of `Timm`.
        least_frames: fewest frames that the network takes; those that pad every convolution take
            one.
    """

    network: str = "resnet10t"
    bins: int = 64
    dropout: float = 0.0
    drop_path: float = 0.0
    least_frames: int = field(default=1, metadata=ADDED)

    version: ClassVar[int] = 1

    @property
    def embedding_size(self) -> int:
        """Length of the pooled features, found without making any weights."""
        return _embedding_size(self.network, (1, self.bins, _PROBE_FRAMES))

    def inputs(self) -> Spectrogram:
        """Return normalised log-mel spectrograms."""
        return Spectrogram(bins=self.bins, least_frames=self.least_frames)

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, 1, bins, frames]` -> `[batch, embedding_size]`."""
        return _create(self.network, 1, self.dropout, self.drop_path)


def _create(network: str, channels: int, dropout: float, drop_path: float) -> nn.Module:
    """Build a network without its classifier, weights at random.

    Raises:
        ValueError: timm knows no network of this name.
    """
    import timm

    if not timm.is_model(network):
        close = ", ".join(timm.list_models(f"*{network.split('_', maxsplit=1)[0]}*")[:5])
        raise ValueError(f"timm has no network {network!r}; near it: {close or 'nothing'}")
    model: nn.Module = timm.create_model(
        network,
        pretrained=False,
        num_classes=0,
        in_chans=channels,
        drop_rate=dropout,
        drop_path_rate=drop_path or None,
    )
    return model


@functools.cache
def _embedding_size(network: str, shape: tuple[int, int, int]) -> int:
    """Return the length of a network's output for an input `[channels, height, width]`.

    Asked of the network itself on the meta device (no memory, no arithmetic, no random number
    drawn): timm's `num_features` is another length if a layer follows the pooling.
    """
    import torch

    with torch.device("meta"), torch.no_grad():
        backbone = _create(network, shape[0], 0.0, 0.0).eval()
        return int(backbone(torch.empty(1, *shape)).shape[-1])
