"""Any image network of timm behind the interface.

It is trained from scratch, or from timm's own weights where a table asks for them and they are on
this machine. They are never fetched, and the row says what they were trained on.
"""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.adapter import ADDED, Image, Spectrogram

if TYPE_CHECKING:
    from torch import nn

_PROBE_FRAMES = 128

HUB = "hub"
"""Weights are looked for in the cache of the Hugging Face hub on this machine."""

WEIGHTS = (".safetensors", ".pth", ".bin")
"""Endings of files of weights in a folder; the first one's of a network is taken."""


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
        preprocessing: `plain` stretches a picture and brings it to -1..1; `timm` does what the data
            config of the network's weights says: interpolation, share of the middle, mean and
            deviation.
        pretrained: `hub`, or a folder that may hold `NETWORK.safetensors` (relative ones are looked
            for under $HARNESS_DATA, then here): the network starts from timm's weights if they are
            there, else at random. Empty starts at random.
        weights: sha256 of the weights that were found, empty for none. It is filled in; one that is
            given, as a record gives it, must be that of the file here.
    """

    network: str = "efficientnet_b0"
    size: int = 224
    channels: int = 3
    dropout: float = 0.0
    drop_path: float = 0.0
    preprocessing: Literal["plain", "timm"] = field(default="plain", metadata=ADDED)
    pretrained: str = field(default="", metadata=ADDED)
    weights: str = field(default="", metadata=ADDED)

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Find the pretrained weights, so that the fields name them by their content.

        Raises:
            ValueError: other weights are asked for than those that are here.
        """
        file = self._file
        found = _sha256(file) if file is not None else ""
        if self.weights not in ("", found):
            here = f"those here have {found[:12]}" if found else "there are none here"
            raise ValueError(
                f"weights: sha256 {self.weights[:12]} is asked for, and {here} "
                f"(pretrained = {self.pretrained!r})"
            )
        object.__setattr__(self, "weights", found)

    @property
    def embedding_size(self) -> int:
        """Length of the pooled features, found without making any weights."""
        return _embedding_size(self.network, (self.channels, self.size, self.size))

    @property
    def origin(self) -> str:
        """What the weights were trained on; empty if no others than random ones were asked for."""
        if not self.pretrained:
            return ""
        if not self.weights:
            return "trained from scratch: the pretrained weights asked for are not on this machine"
        tag = _data_config(self.network).get("tag") or "an unknown data set"
        return (
            f"starts from timm's weights {tag} (sha256 {self.weights[:12]}, {self.pretrained}); "
            "what they were trained on may overlap with the test"
        )

    def inputs(self) -> Image:
        """Return square pictures."""
        if self.preprocessing == "plain":
            return Image(size=self.size, channels=self.channels)
        found = _data_config(self.network)
        mean, deviation = (
            tuple(map(float, found[key])) if self.channels == len(found[key])
            else (float(sum(found[key]) / len(found[key])),)
            for key in ("mean", "std")
        )  # fmt: skip
        return Image(
            size=self.size,
            channels=self.channels,
            mean=mean,
            deviation=deviation,
            interpolation="bilinear" if found["interpolation"] == "bilinear" else "bicubic",
            crop=float(found["crop_pct"]),
        )

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, channels, size, size]` -> `[batch, embedding_size]`."""
        return _create(self.network, self.channels, self.dropout, self.drop_path, self._file)

    @property
    def _file(self) -> Path | None:
        return _weights_file(self.network, self.pretrained) if self.pretrained else None


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


def _create(
    network: str, channels: int, dropout: float, drop_path: float, weights: Path | None = None
) -> nn.Module:
    """Build a network without its classifier.

    Args:
        network: timm's name.
        channels: of the pictures; first layers of weights for others are adapted by timm.
        dropout, drop_path: as of `Timm`.
        weights: a file of timm's weights; at random without.

    Raises:
        ValueError: timm knows no network of this name.
    """
    import timm

    _check_known(network)
    loaded: dict[str, Any] = {}
    if weights is not None:
        loaded = {"pretrained_cfg_overlay": {"file": str(weights)}}
    model: nn.Module = timm.create_model(
        network,
        pretrained=weights is not None,
        num_classes=0,
        in_chans=channels,
        drop_rate=dropout,
        drop_path_rate=drop_path or None,
        **loaded,
    )
    return model


def _check_known(network: str) -> None:
    """Refuse a network that timm has not.

    Raises:
        ValueError: names others near to it.
    """
    import timm

    if not timm.is_model(network):
        close = ", ".join(timm.list_models(f"*{network.split('_', maxsplit=1)[0]}*")[:5])
        raise ValueError(f"timm has no network {network!r}; near it: {close or 'nothing'}")


@functools.cache
def _data_config(network: str) -> dict[str, Any]:
    """Return the data config of a network's default weights, as timm declares it."""
    import timm

    _check_known(network)
    config = timm.get_pretrained_cfg(network)
    return {} if config is None else dict(config.to_dict())  # type: ignore[no-untyped-call]


def _weights_file(network: str, place: str) -> Path | None:
    """Return the file of a network's weights on this machine; None if there is none.

    Args:
        network: timm's name.
        place: `hub`, or a folder.
    """
    if place == HUB:
        return _in_hub_cache(network)
    folder = Path(place).expanduser()
    roots = [Path(os.environ["HARNESS_DATA"])] if os.environ.get("HARNESS_DATA") else []
    places = [root / folder for root in (*roots, Path())]
    files = [each / f"{network}{ending}" for each in places for ending in WEIGHTS]
    return next((file for file in files if file.is_file()), None)


def _in_hub_cache(network: str) -> Path | None:
    """Return the weights in the cache of the Hugging Face hub; nothing is fetched."""
    from huggingface_hub import try_to_load_from_cache

    repository = _data_config(network).get("hf_hub_id")
    for name in ("model.safetensors", "pytorch_model.bin"):
        found = try_to_load_from_cache(repository, name) if repository else None
        if isinstance(found, str):
            return Path(found)
    return None


@functools.lru_cache(maxsize=32)
def _hash_of(path: str, _size: int, _time: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(file: Path) -> str:
    """Return the sha256 of a file, computed again only if it changed."""
    facts = file.stat()
    return _hash_of(str(file), facts.st_size, facts.st_mtime_ns)


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
