"""What measuring a job alone gives. Imports no torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from harness.records.record import Resources, State

ITEM_SECONDS = 2.0
"""Length of the sounds behind every figure that does not name another."""


FIRST_RESULT = "first result"
"""The part of measuring that ends with a process's first embedding."""


class Measurement(BaseModel):
    """What a system costs, or why that is not known.

    Attributes:
        state, reason: as of a record.
        resources: the figures.
        first_result_seconds: from the start of a process to its first embedding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    reason: str = ""
    resources: Resources = Resources()
    first_result_seconds: float | None = None
