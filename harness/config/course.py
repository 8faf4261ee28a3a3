"""Values over a run: the learning rate, and those of a head."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from harness.config.tables import Table


class LearningRate(Table):
    """The learning rate over a run: linear warm-up, then a shape between the peak and `final`."""

    added: ClassVar[tuple[str, ...]] = ("cycles", "growth", "from_start")

    shape: Literal["constant", "cosine", "exponential", "cyclic", "warm-restarts"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1, description="share of all steps")
    final: float = Field(default=0.01, gt=0, le=1, description="lowest over peak learning rate")
    cycles: PositiveFloat = Field(
        default=1.0, description="triangles or restarted cosines in what follows the warm-up"
    )
    growth: float = Field(default=1.0, ge=1, description="length of a cosine over the one before")
    from_start: bool = Field(
        default=False, description="the shape begins with the run, and the warm-up scales it"
    )

    @model_validator(mode="after")
    def _cycles_mean_something(self) -> LearningRate:
        if self.cycles != 1 and self.shape not in ("cyclic", "warm-restarts"):
            raise ValueError(f"cycles: of what? {self.shape} has none; take it out")
        if self.growth != 1 and self.shape != "warm-restarts":
            raise ValueError(f"growth: of what? {self.shape} never restarts; take it out")
        if self.shape == "warm-restarts" and self.cycles % 1:
            raise ValueError(f"cycles ({self.cycles:g}): give a whole number of cosines")
        return self


class Rise(Table):
    """A value of the head over a run: low before `start`, its full value from `end` on.

    A plain number in its place holds the value there for the whole run.
    """

    added: ClassVar[tuple[str, ...]] = ("initial_value", "final_value", "stairs")

    initial: float = Field(default=0.0, ge=0, le=1, description="low over full value")
    initial_value: float | None = Field(default=None, description="or the low value itself")
    final_value: float | None = Field(default=None, description="full value; else the loss's own")
    shape: Literal["linear", "exponential"] = "exponential"
    start: float = Field(default=0.0, ge=0, le=1, description="share of all steps")
    end: float = Field(default=0.5, ge=0, le=1, description="share of all steps")
    stairs: PositiveInt | None = Field(
        default=None, description="equal steps in which it rises; else with every training step"
    )

    @model_validator(mode="before")
    @classmethod
    def _held(cls, given: Any) -> Any:
        """Take a number for a value that never changes."""
        number = isinstance(given, int | float) and not isinstance(given, bool)
        return {"final_value": float(given), "end": 0.0} if number else given

    @model_validator(mode="after")
    def _ordered(self) -> Rise:
        if self.end < self.start:
            raise ValueError(f"end ({self.end}) comes before start ({self.start})")
        if self.initial and self.initial_value is not None:
            raise ValueError("give either initial (a share) or initial_value")
        return self
