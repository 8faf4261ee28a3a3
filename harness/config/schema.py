"""A whole benchmark file, as frozen typed objects."""

from __future__ import annotations

from typing import ClassVar

from pydantic import (
    ByteSize,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from harness.config.datasets import Dataset
from harness.config.recipes import Recipe
from harness.config.suites import Suite
from harness.config.tables import Component, Name, Table


class Budget(Table):
    """The card that every entry is held against."""

    added: ClassVar[tuple[str, ...]] = ("reserved",)

    gpu_memory: str = Field(default="6 GiB", description="all that the card has")
    reserved: str = Field(
        default="1 GiB", description="of it, for the driver's context, kernels and a display"
    )

    @property
    def card(self) -> int:
        """Bytes of the card."""
        return _bytes(self.gpu_memory)

    @property
    def usable(self) -> int:
        """Bytes that tensors may take."""
        return self.card - _bytes(self.reserved)

    @model_validator(mode="after")
    def _leaves_something(self) -> Budget:
        if self.usable <= 0:
            raise ValueError(
                f"reserved ({self.reserved}) leaves nothing of gpu_memory ({self.gpu_memory})"
            )
        return self

    @field_validator("gpu_memory", "reserved")
    @classmethod
    def _is_a_size(cls, text: str) -> str:
        try:
            _bytes(text)
        except ValidationError as error:
            raise ValueError(f"{text!r} is no size; write one as '6 GiB' or '800 MiB'") from error
        return text


_SIZE = TypeAdapter(ByteSize)


def _bytes(text: str) -> int:
    return int(_SIZE.validate_python(text))


class Benchmark(Table):
    """A whole benchmark file."""

    base: str | None = Field(
        default=None, description="a benchmark to add to; 'trialboard' is ours"
    )
    budget: Budget = Budget()
    datasets: dict[Name, Dataset] = Field(default={})
    models: dict[Name, Component] = Field(default={})
    losses: dict[Name, Component] = Field(default={})
    recipes: dict[Name, Recipe] = Field(default={})
    suites: dict[Name, Suite] = Field(default={})
