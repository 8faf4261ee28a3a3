"""Numbers of a benchmark file, each with its range: nothing is computed with what cannot be meant.

The ranges are wide: they hold every recipe that anybody trains by, and leave out what overflows,
never ends, or is a slip of the keyboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

OUTSIDE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"}
"""Kinds of pydantic's errors that mean a number of the right type and the wrong size."""


@dataclass(frozen=True)
class Range:
    """The range of an `int` or a `float`; an error tells both of its ends.

    Attributes:
        low, high: the ends.
        above: True if `low` itself is outside.
        below: True if `high` itself is outside.
    """

    low: float
    high: float
    above: bool = False
    below: bool = False

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        bounds: dict[str, Any] = {
            "gt" if self.above else "ge": self.low,
            "lt" if self.below else "le": self.high,
        }
        inner = (
            core_schema.int_schema(**bounds)
            if source is int
            else core_schema.float_schema(allow_inf_nan=False, **bounds)
        )
        return core_schema.no_info_wrap_validator_function(self._check, inner)

    def _check(self, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            if {each["type"] for each in error.errors()} <= OUTSIDE:
                raise PydanticCustomError("range", self._mend) from error
            raise

    @property
    def _mend(self) -> str:
        low = f"above {self.low:,}" if self.above else f"from {self.low:,}"
        return f"give a number {low} to {'below ' if self.below else ''}{self.high:,}"


LARGEST_SEED = 2**32 - 1
"""The largest seed that NumPy and torch both take."""

EMBEDDINGS_MIB = 64
"""MiB that the kept test embeddings of a job may take, where nobody says otherwise."""

Seed = Annotated[int, Range(0, LARGEST_SEED)]
Count = Annotated[int, Range(1, 10**9)]
"""Steps, speakers, utterances or trials."""

Crops = Annotated[int, Range(1, 10**12)]
"""Training items, each counted as often as it is seen."""

SeveralCount = Annotated[int, Range(2, 10**9)]
MOST_AT_ONCE = 2**20
BatchSize = Annotated[int, Range(1, MOST_AT_ONCE)]
Share = Annotated[float, Range(0, 1)]
ShareBelowOne = Annotated[float, Range(0, 1, below=True)]
Seconds = Annotated[float, Range(0, 86_400, above=True)]
Times = Annotated[float, Range(0, 10**6, above=True)]
"""How often or how much of something: epochs, cycles."""

Rate = Annotated[float, Range(0, 1_000, above=True)]
"""A learning rate."""
