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


class Trial(BaseModel):
    """What a short trial of a system is given of its dataset, which need not be decoded for it.

    Attributes:
        classes: labels of the training split.
        crop_seconds: length of a sound in a step of each training of the recipe.
        item_seconds: length of a sound that is embedded; 0 for what is no sound.
        together: items that are embedded at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: int
    crop_seconds: tuple[float, ...]
    item_seconds: float
    together: int


class Speed(BaseModel):
    """How fast a system is in one place, by a short trial.

    Attributes:
        start: seconds from the start of a process to its first embedding.
        steps: seconds of a step of each training of the recipe.
        item: seconds to embed one item.
        measuring: seconds that measuring it will take.
        why: why the trial failed; empty where it did not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: float = 0.0
    steps: tuple[float, ...] = ()
    item: float = 0.0
    measuring: float = 0.0
    why: str = ""
