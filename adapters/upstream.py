"""Networks built from a checkout of WeSpeaker or of 3D-Speaker, by the names they have there."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from adapters.upstream_source import NetworkSource, Project, find_source
from harness.adapter import ADDED, Fbank

if TYPE_CHECKING:
    from torch import Tensor, nn

WESPEAKER = Project("WeSpeaker", "wespeaker", "WESPEAKER")
THREE_D_SPEAKER = Project("3D-Speaker", "speakerlab", "THREED_SPEAKER")

BINS = ("feat_dim", "input_size", "acoustic_dim")
"""Names of the number of mel bins in these projects."""

EMBEDDING = ("embed_dim", "embedding_size", "lin_neurons")
"""Names of the length of the embedding in these projects."""


@dataclass(frozen=True, kw_only=True)
class _Network:
    """A network of a project, by its name there.

    The place of a checkout is no part of what is built from it. `checkout` is therefore emptied
    once the network's source is found, and `source` names what was found.

    Attributes:
        network: class or function of the project's models; with its module before it if the
            name alone is several.
        arguments: its keyword arguments.
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
        """Find the network and check its arguments against its signature.

        Raises:
            ValueError: it is not found, or cannot be called like that.
        """
        found = self._find(self.checkout)
        network_signature(found).check(self.arguments)
        object.__setattr__(self, "checkout", "")
        object.__setattr__(self, "source", found.digest)

    @property
    def embedding_size(self) -> int:
        """Length of the embedding, by the arguments or the network's own defaults."""
        return self._number(EMBEDDING)

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`.

        It is the project's own module, so that its checkpoints load; of several outputs the
        embedding is the last.
        """
        network: Any = self._find().build(self.arguments)
        network.register_forward_hook(_last_output)
        return network  # type: ignore[no-any-return]

    def _find(self, checkout: str = "") -> NetworkSource:
        return find_source(self.project, self.network, checkout=checkout, digest=self.source)

    def _number(self, names: Iterable[str]) -> int:
        takes = network_signature(self._find())
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
        """Return WeSpeaker's filterbanks: 16-bit range, Hamming window, dither of 1 in training."""
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
        """Return 3D-Speaker's filterbanks: a Povey window, -1..1, no dither."""
        return Fbank(
            bins=self._number(BINS), window="povey", scale=1.0, least_frames=self.least_frames
        )


def _last_output(network: nn.Module, inputs: Any, outputs: Any) -> Tensor:
    """Return the embedding that scores: WeSpeaker's networks give frames or a layer before it."""
    del network, inputs
    embedding: Tensor = outputs[-1] if isinstance(outputs, tuple | list) else outputs
    return embedding


@dataclass(frozen=True)
class Signature:
    """The arguments of a network.

    Attributes:
        network: its name, for errors.
        names: those that can be given by name.
        required: those that must be.
        defaults: the values of the others, if they are constants.
        any_other: whether it takes others too.
    """

    network: str
    names: tuple[str, ...]
    required: tuple[str, ...]
    defaults: dict[str, Any]
    any_other: bool

    def check(self, arguments: dict[str, Any]) -> None:
        """Check arguments against the signature.

        Raises:
            ValueError: one is unknown, or one is missing.
        """
        for name in arguments:
            if name not in self.names and not self.any_other:
                close = get_close_matches(name, self.names, n=1)
                mend = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(self.names)}"
                raise ValueError(f"arguments.{name}: {self.network} does not take it; {mend}")
        missing = [name for name in self.required if name not in arguments]
        if missing:
            raise ValueError(
                f"arguments.{missing[0]}: missing; {self.network} must be given "
                f"{', '.join(self.required)}"
            )


def network_signature(source: NetworkSource) -> Signature:
    """Read a signature off a network's source: nothing is imported for it."""
    return _read_signature(source.name, source.files[source.module].read_bytes())


@cache
def _read_signature(name: str, text: bytes) -> Signature:
    """Read the signature of a function, or of a class's `__init__`."""
    body = ast.parse(text).body
    found = next((each for each in body if getattr(each, "name", "") == name), None)
    bound = isinstance(found, ast.ClassDef)
    if isinstance(found, ast.ClassDef):
        found = next((each for each in found.body if getattr(each, "name", "") == "__init__"), None)
    if not isinstance(found, ast.FunctionDef):  # that of its base, which is elsewhere
        return Signature(name, (), (), {}, any_other=True)
    takes = found.args
    places = takes.args[bound:]
    given: list[ast.expr | None] = [None] * (len(places) - len(takes.defaults))
    values = dict(zip([each.arg for each in places], [*given, *takes.defaults], strict=False))
    values |= {a.arg: d for a, d in zip(takes.kwonlyargs, takes.kw_defaults, strict=True)}
    return Signature(
        name,
        names=tuple(values),
        required=tuple(name for name, value in values.items() if value is None),
        defaults={n: value.value for n, value in values.items() if isinstance(value, ast.Constant)},
        any_other=takes.kwarg is not None,
    )
