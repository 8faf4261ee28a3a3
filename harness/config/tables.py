"""The base classes of the tables of a benchmark file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

Profile = Literal["quick", "full"]
Track = Literal["recipe", "matched"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
"""Names of entries: they become folders of runs, packs and keys of the lock."""


class ConfigTable(BaseModel):
    """A table of the file: frozen, and an unknown key is an error.

    Attributes:
        added: keys that came after the first records were published. They are left out of what is
            written while they have their default, so that the keys of older records stay.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    added: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_unused(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document: dict[str, Any] = serialise(self)
        unused = self._defaults()
        return {name: value for name, value in document.items() if name not in unused}

    def _defaults(self) -> set[str]:
        """Return the keys that change nothing here, and are left out of the written table."""
        fields = type(self).model_fields
        return {name for name in self.added if getattr(self, name) == fields[name].default}


FROM_DATASET = "dataset"
"""Value of an adapter's field for which the harness puts what the dataset has: a corpus of turns
tells `text`, `audio`, `video` and `frames`."""


class ExecutorTable(BaseModel):
    """An executor as a benchmark file sets it; its other keys are the fields of its class."""

    model_config = ConfigDict(frozen=True, extra="allow")

    import_path: str = Field(
        default="", alias="class", description="`package.module:Class`; none for one of ours"
    )

    @property
    def fields(self) -> dict[str, Any]:
        """The keys that belong to the executor's class."""
        return dict(self.model_extra or {})


class Component(BaseModel):
    """Something named by an import path; its other keys are the fields of that class."""

    model_config = ConfigDict(frozen=True, extra="allow")

    adapter: str = Field(description="import path, `package.module:Class`")

    @property
    def fields(self) -> dict[str, Any]:
        """The keys that belong to the adapter's class, without those that wait for a dataset."""
        given = self.model_extra or {}
        return {name: value for name, value in given.items() if value != FROM_DATASET}

    def on_dataset(self, facts: Mapping[str, Any]) -> Component:
        """Return the same with what a dataset tells in the place of `FROM_DATASET`."""
        told = {name: facts[name] for name in self.waits if name in facts}
        return self.model_copy(update=told) if told else self

    @property
    def waits(self) -> tuple[str, ...]:
        """The keys whose value a dataset tells."""
        given = self.model_extra or {}
        return tuple(name for name, value in given.items() if value == FROM_DATASET)
