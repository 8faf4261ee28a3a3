"""An audit's task and its answer, in plain JSON types. Imports no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class AuditTask(BaseModel):
    """The parts of a training that an audit runs again.

    Attributes:
        states: step and hash of each kept state, in their order.
        segments: which of them the segments begin at, by index.
        checkpoint: hash of the weights that the training ended with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    states: tuple[tuple[int, str], ...]
    segments: tuple[int, ...]
    checkpoint: str


class AuditedPart(BaseModel):
    """A part of a training, run again.

    Attributes:
        kind: `start` makes the first state from the seed, a `segment` the next state from one,
            `checkpoint` the final weights from the last state.
        first, last: steps that were done at its begin and its end.
        kept: hash of what was kept.
        reached: hash of what was reached now; empty if it could not be run.
        seconds: spent.
        damage: the reason why it could not be run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["start", "segment", "checkpoint"]
    first: int
    last: int
    kept: str
    reached: str = ""
    seconds: float = 0.0
    damage: str = ""


class AuditAnswer(BaseModel):
    """All parts that were run again; or, of an audit that broke off, the reason why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[AuditedPart, ...] = ()
    why: str = ""
