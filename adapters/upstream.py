"""Networks built from a checkout of WeSpeaker or of 3D-Speaker, by the names they have there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from adapters.upstream_signature import Signature, signature
from adapters.upstream_source import Project, Source, find_source
from harness.adapter import ADDED, Fbank

if TYPE_CHECKING:
    from torch import Tensor, nn

WESPEAKER = Project("WeSpeaker", "wespeaker", "WESPEAKER")
THREE_D_SPEAKER = Project("3D-Speaker", "speakerlab", "THREED_SPEAKER")

BINS = ("feat_dim", "input_size", "acoustic_dim")
"""What these projects call the number of mel bins."""

EMBEDDING = ("embed_dim", "embedding_size", "lin_neurons")
"""What they call the length of the embedding."""


@dataclass(frozen=True, kw_only=True)
class _Network:
    """A network of a project, by its name there.

    Where a checkout lies is no part of what is built from it. `checkout` is therefore emptied
    once the network's source is found, and `source` says what was found.

    Attributes:
        network: class or function of the project's models; with its module before it where the
            name alone is several.
        arguments: what it is called with.
        checkout: folder of the checkout, relative to $HARNESS_DATA or absolute; without one, the
            project's environment variable, then the installed package.
        source: sha256 of the files that the network is made of; given, it must be that.
        least_frames: fewest frames that the network takes.
    """

    network: str
    arguments: dict[str, Any] = field(default_factory=dict, hash=False)
    checkout: str = ""
    source: str = ""
    least_frames: int = field(default=1, metadata=ADDED)

    version: ClassVar[int] = 1
    project: ClassVar[Project]

    def __post_init__(self) -> None:
        """Find the network and hold its arguments against what it takes.

        Raises:
            ValueError: it is not found, or cannot be called like that.
        """
        found = self._find(self.checkout)
        signature(found).check(self.arguments)
        object.__setattr__(self, "checkout", "")
        object.__setattr__(self, "source", found.digest)

    @property
    def embedding_size(self) -> int:
        """Length of the embedding, as the arguments or the network's own defaults say."""
        return self._number(EMBEDDING)

    def build(self) -> nn.Module:
        """Make the trunk: `[batch, frames, bins]` -> `[batch, embedding_size]`.

        It is the project's own module, so that its checkpoints load; of several outputs the
        embedding is the last.
        """
        network: Any = self._find().build(self.arguments)
        network.register_forward_hook(_last)
        return network  # type: ignore[no-any-return]

    def _find(self, checkout: str = "") -> Source:
        return find_source(self.project, self.network, checkout=checkout, digest=self.source)

    def _number(self, names: Iterable[str]) -> int:
        takes: Signature = signature(self._find())
        for name in names:
            value = self.arguments.get(name, takes.defaults.get(name))
            if isinstance(value, int):
                return value
        known = " or ".join(name for name in names if name in takes.names) or " or ".join(names)
        raise ValueError(f"{self.network}: give {known} in its arguments")


@dataclass(frozen=True, kw_only=True)
class WeSpeakerNetwork(_Network):
    """A network of WeSpeaker, as its `wespeaker.models` define it."""

    project: ClassVar[Project] = WESPEAKER

    def inputs(self) -> Fbank:
        """WeSpeaker's filterbanks: 16-bit range, Hamming window, dither of 1 in training."""
        return Fbank(
            bins=self._number(BINS),
            window="hamming",
            scale=32768.0,
            dither=1.0,
            least_frames=self.least_frames,
        )


@dataclass(frozen=True, kw_only=True)
class ThreeDSpeakerNetwork(_Network):
    """A network of 3D-Speaker, as its `speakerlab.models` define it."""

    project: ClassVar[Project] = THREE_D_SPEAKER

    def inputs(self) -> Fbank:
        """3D-Speaker's filterbanks: a Povey window, -1..1, no dither."""
        return Fbank(
            bins=self._number(BINS), window="povey", scale=1.0, least_frames=self.least_frames
        )


def _last(network: nn.Module, inputs: Any, outputs: Any) -> Tensor:
    """The embedding that scores: WeSpeaker's networks give frames or an inner layer before it."""
    del network, inputs
    embedding: Tensor = outputs[-1] if isinstance(outputs, tuple | list) else outputs
    return embedding
