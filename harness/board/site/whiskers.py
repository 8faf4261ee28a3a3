"""Values and intervals of one column as small pictures on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.board.pictures.geometry import LOG_ABOVE
from harness.board.standing.numbers import plain
from harness.board.standing.rows import Figure
from harness.records.record import MetricFacts

WIDTH = 96
"""Units that a picture is wide, between margins that hold half a mark."""


@dataclass(frozen=True)
class Whisker:
    """Where the marks of one value lie, from 0 to WIDTH."""

    low: int
    value: int
    high: int
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scale:
    """From the lowest to the highest end of a column's intervals."""

    low: float
    high: float

    @classmethod
    def over(cls, figures: Sequence[Figure]) -> Scale | None:
        """The scale of some figures; None where none has an interval, or all ends are one."""
        held = [(f.low, f.value, f.high) for f in figures]
        ends = [end for each in held if None not in each for end in each if end is not None]
        if not ends or min(ends) == max(ends):
            return None
        return cls(min(ends), max(ends))

    @property
    def log(self) -> bool:
        """Whether values differ by so much that the scale is logarithmic."""
        return self.low > 0 and self.high > LOG_ABOVE * self.low

    def at(self, value: float) -> int:
        """Where a value lies; one beyond an end lies on it."""
        inside = min(max(value, self.low), self.high)
        part = (inside - self.low) / (self.high - self.low)
        if self.log:
            low = math.log(self.low)  # a quotient of the ends may be beyond every float
            part = (math.log(inside) - low) / (math.log(self.high) - low)
        return round(part * WIDTH)

    def said(self, facts: MetricFacts) -> str:
        """Which values the pictures span."""
        kind = ", logarithmic" if self.log else ""
        return f"{facts.title} from {plain(self.low, facts)} to {plain(self.high, facts)}{kind}"


def whisker(scale: Scale, figure: Figure, seeds: Sequence[float]) -> Whisker | None:
    """Place a figure's interval, value and seeds on a scale."""
    if figure.low is None or figure.high is None:
        return None
    ends = scale.at(figure.low), scale.at(figure.value), scale.at(figure.high)
    return Whisker(*ends, tuple(sorted({scale.at(seed) for seed in seeds})))
