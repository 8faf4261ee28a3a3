"""What planning asks of an adapter besides memory: its fields, its input, the weights it wants."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from harness.adapter import ADDED, Fbank, Image, Input, Spectrogram, Vector
from harness.config.imports import construct, load_class
from harness.errors import RequestError
from harness.records import record
from harness.records.documents import canonical_json
from harness.run.plan.questions import Report, adapter_key


class Description(BaseModel):
    """An adapter as planning needs to know it.

    Attributes:
        component: as a record holds it, its fields complete and checked.
        needs: what a loss asks of a batch or of the data.
        scheduled: its values that a recipe's schedules may drive.
    """

    component: record.RecordedComponent
    needs: frozenset[str] = frozenset()
    scheduled: tuple[str, ...] = ()


INPUTS = {each.__name__: each for each in (Fbank, Spectrogram, Image, Vector)}


class Declared(BaseModel):
    """The input that a model takes: the name of its class, and its fields."""

    name: str
    fields: dict[str, Any]

    @property
    def declared(self) -> Input:
        """The input itself."""
        made: Input = INPUTS[self.name](**self.fields)
        return made

    @property
    def kind(self) -> str:
        """`audio`, `image` or `vector`."""
        return INPUTS[self.name].kind


class Fit(BaseModel):
    """Why a checkpoint is not one of a model; empty where it is."""

    why: str


@dataclass(frozen=True)
class Describe:
    """Describes a model or a loss.

    Attributes:
        name: its name in the benchmark file.
        adapter, fields: its table.
        where: the table, for errors.
        is_loss: whether it has needs and schedules.
    """

    name: str
    adapter: str
    fields: dict[str, Any]
    where: str
    is_loss: bool = False

    answers: ClassVar = Description

    @property
    def adapters(self) -> frozenset[str]:
        """Whose code is run."""
        return frozenset({adapter_key(self.adapter, self.fields)})

    def answer(self, report: Report) -> Description:
        """Import and make it; only fields `ADDED` later that nobody uses are left out.

        Raises:
            ConfigError: it cannot be built from its table.
        """
        made = _made(self.adapter, self.fields, self.where, report)
        values = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
        for field in dataclasses.fields(made):
            if field.metadata == ADDED and values[field.name] == field.default:
                del values[field.name]
        fields = json.loads(canonical_json(values))
        component = record.RecordedComponent(
            name=self.name, adapter=self.adapter, version=made.version, fields=fields
        )
        if not self.is_loss:
            return Description(component=component)
        return Description(component=component, needs=made.needs, scheduled=made.scheduled)


@dataclass(frozen=True)
class AskInput:
    """Asks a model for its input; `adapter`, `fields` and `where` as in `Describe`."""

    adapter: str
    fields: dict[str, Any]
    where: str

    answers: ClassVar = Declared

    @property
    def adapters(self) -> frozenset[str]:
        """Whose code is run."""
        return frozenset({adapter_key(self.adapter, self.fields)})

    def answer(self, report: Report) -> Declared:
        """Make it and ask."""
        made = _made(self.adapter, self.fields, self.where, report)
        report(f"{self.where}: asking for its inputs")
        found = made.inputs()
        name = next((each for each, kind in INPUTS.items() if isinstance(found, kind)), None)
        if name is None:
            raise TypeError(f"inputs() gives {type(found).__name__}, none of {', '.join(INPUTS)}")
        fields = dataclasses.fields(INPUTS[name])
        return Declared(name=name, fields={each.name: getattr(found, each.name) for each in fields})


@dataclass(frozen=True)
class Fitting:
    """Holds a checkpoint against a model.

    Attributes:
        path: the checkpoint.
        adapter, fields, where: the model, as in `Describe`.
        exactly: build the network as a job does, and say what does not fit; else by shapes alone.
    """

    path: Path
    adapter: str
    fields: dict[str, Any]
    where: str
    exactly: bool

    answers: ClassVar = Fit

    @property
    def adapters(self) -> frozenset[str]:
        """Whose code is run."""
        return frozenset({adapter_key(self.adapter, self.fields)})

    def answer(self, report: Report) -> Fit:
        """Compare names and shapes.

        Raises:
            RequestError: the file is no checkpoint.
            ConfigError: the model cannot be built from its table.
        """
        from harness.train.weight_matching import has_places, match_weights

        weights = _weights(self.path, self.path.stat().st_mtime_ns if self.path.is_file() else 0)
        if not self.exactly:
            report(f"{self.where}: building its network")
            found = has_places(self.adapter, self.fields, weights, self.where)
            return Fit(why="" if found else "other names or shapes")
        made = _made(self.adapter, self.fields, self.where, report)
        report(f"{self.where}: building its network")
        wanted = made.build().state_dict()
        try:
            match_weights(weights, wanted, str(self.path))
        except RequestError as error:
            return Fit(why=str(error))
        return Fit(why="")


def _made(adapter: str, fields: dict[str, Any], where: str, report: Report) -> Any:
    report(f"{where}: importing {adapter.partition(':')[0]}")
    load_class(adapter, f"{where}.adapter")
    report(f"{where}: making {adapter}")
    return construct(adapter, fields, where)


@lru_cache(1)
def _weights(path: Path, _written: int) -> Any:
    """A checkpoint's weights: one is held against many models."""
    from harness.train.checkpoint import load_weights

    return load_weights(path)
