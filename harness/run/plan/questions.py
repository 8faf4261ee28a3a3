"""Questions about an adapter that run its code: its fields, its input, the weights it wants."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel

from harness.adapter import ADDED, Fbank, Image, Input, Spectrogram, TfMel, Vector, Vectors
from harness.config.imports import construct, load_class
from harness.errors import RequestError
from harness.records.documents import canonical_json

T_co = TypeVar("T_co", bound=BaseModel, covariant=True)

Report = Callable[[str], None]
"""Receives what foreign code is about to do: a process that dies of it can say no more."""

INPUTS = {each.__name__: each for each in (Fbank, TfMel, Spectrogram, Image, Vector, Vectors)}

_MADE: dict[str, Any] = {}
"""Adapters of this process, by `adapter_key`: each is made once, whatever is asked of it."""


class Question(Protocol[T_co]):
    """A question that runs adapters' code, as data that goes to another process.

    Attributes:
        answers: the class of its answer.
    """

    @property
    def answers(self) -> type[T_co]:
        """The class of its answer."""

    @property
    def adapters(self) -> frozenset[str]:
        """The adapters whose code is run (see `adapter_key`)."""

    def answer(self, report: Report) -> T_co:
        """Run it."""


def adapter_key(adapter: str, fields: dict[str, Any]) -> str:
    """Return a key of an adapter with the fields that it is made from."""
    return f"{adapter} {json.dumps(fields, sort_keys=True, default=str)}"


def make_adapter(adapter: str, fields: dict[str, Any], where: str) -> Any:
    """Make an adapter, or return the one that was made from the same fields."""
    key = adapter_key(adapter, fields)
    if key not in _MADE:
        _MADE[key] = construct(adapter, fields, where)
    return _MADE[key]


class Description(BaseModel):
    """An adapter as planning needs to know it.

    Attributes:
        fields: as a record holds them, complete and checked.
        version: its own.
        needs: what a loss asks of a batch or of the data.
        scheduled: its values that a recipe's schedules may drive.
        mixes: True if a loss weighs both labels of a mixed item.
    """

    fields: dict[str, Any]
    version: int
    needs: frozenset[str] = frozenset()
    scheduled: tuple[str, ...] = ()
    mixes: bool = False


class DeclaredInput(BaseModel):
    """The input of a model: the name of its class, and its fields."""

    name: str
    fields: dict[str, Any]

    @property
    def input(self) -> Input:
        """The input itself."""
        # JSON has lists alone.
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.fields.items()
        }
        made: Input = INPUTS[self.name](**fields)
        return made

    @property
    def kind(self) -> str:
        """`audio`, `image`, `vector` or `vectors`."""
        return INPUTS[self.name].kind


class WeightsMatch(BaseModel):
    """The reason why a checkpoint is not one of a model; empty if it is."""

    why: str


@dataclass(frozen=True)
class _AdapterQuestion:
    """A question about one adapter.

    Attributes:
        adapter, fields: its table in the benchmark file.
        where: the table, for errors.
    """

    adapter: str
    fields: dict[str, Any]
    where: str

    @property
    def adapters(self) -> frozenset[str]:
        """The adapter's key."""
        return frozenset({adapter_key(self.adapter, self.fields)})

    def make(self, report: Report) -> Any:
        """Import and make it.

        Raises:
            ConfigError: it cannot be built from its table.
        """
        report(f"{self.where}: importing {self.adapter.partition(':')[0]}")
        load_class(self.adapter, f"{self.where}.adapter")
        report(f"{self.where}: making {self.adapter}")
        return make_adapter(self.adapter, self.fields, self.where)


@dataclass(frozen=True)
class Describe(_AdapterQuestion):
    """Describes a model or a loss.

    Attributes:
        is_loss: True if it has needs and schedules.
    """

    is_loss: bool = False

    answers: ClassVar = Description

    def answer(self, report: Report) -> Description:
        """Make it, and leave out fields `ADDED` later that nobody uses."""
        made = self.make(report)
        values = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
        for field in dataclasses.fields(made):
            if field.metadata == ADDED and values[field.name] == field.default:
                del values[field.name]
        fields = json.loads(canonical_json(values))
        # Its memory will be asked for by these fields.
        _MADE.setdefault(adapter_key(self.adapter, fields), made)
        asks: dict[str, Any] = {}
        if self.is_loss:
            asks = {"needs": made.needs, "scheduled": made.scheduled}
            asks["mixes"] = bool(getattr(made, "mixes", False))
        return Description(fields=fields, version=made.version, **asks)


@dataclass(frozen=True)
class AskInput(_AdapterQuestion):
    """Asks a model for its input."""

    answers: ClassVar = DeclaredInput

    def answer(self, report: Report) -> DeclaredInput:
        """Make it and ask."""
        made = self.make(report)
        report(f"{self.where}: asking for its inputs")
        found = made.inputs()
        name = next((each for each, kind in INPUTS.items() if isinstance(found, kind)), None)
        if name is None:
            raise TypeError(f"inputs() gives {type(found).__name__}, none of {', '.join(INPUTS)}")
        fields = dataclasses.fields(INPUTS[name])
        values = {each.name: getattr(found, each.name) for each in fields}
        return DeclaredInput(name=name, fields=values)


@dataclass(frozen=True)
class MatchWeights(_AdapterQuestion):
    """Compares a checkpoint with a model.

    Attributes:
        path: the checkpoint.
        exactly: build the network as a job does, and say what does not match; else by shapes alone.
    """

    path: Path
    exactly: bool

    answers: ClassVar = WeightsMatch

    def answer(self, report: Report) -> WeightsMatch:
        """Compare names and shapes.

        Raises:
            RequestError: the file is no checkpoint.
            ConfigError: the model cannot be built from its table.
        """
        from harness.train.weight_matching import has_places, match_weights

        written = self.path.stat().st_mtime_ns if self.path.is_file() else 0
        weights = _load_weights(self.path, written)
        if not self.exactly:
            report(f"{self.where}: building its network")
            found = has_places(self.adapter, self.fields, weights, self.where)
            return WeightsMatch(why="" if found else "other names or shapes")
        made = self.make(report)
        report(f"{self.where}: building its network")
        wanted = made.build().state_dict()
        try:
            match_weights(weights, wanted, str(self.path))
        except RequestError as error:
            return WeightsMatch(why=str(error))
        return WeightsMatch(why="")


@lru_cache(1)
def _load_weights(path: Path, _written: int) -> Any:
    """Load a checkpoint's weights once: one is compared with many models."""
    from harness.train.checkpoint import load_weights

    return load_weights(path)
