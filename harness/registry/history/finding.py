"""What the nights of one figure say: a step, one night alone, too few nights, nothing at all."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.metrics.steps import FEWEST, find_steps, last_alone_p

Answer = Literal["ok", "regressed", "inconclusive", "not measured"]

ALPHA = 0.001
"""How often noise alone may pass for a step; a board has some hundred figures a night."""

WINDOW = 30
"""Nights back to which steps are looked for."""


@dataclass(frozen=True)
class Change:
    """A step of a figure, in the unit of a history's lines.

    Attributes:
        since: the first night of the new level.
        before, after: the levels.
        better: whether it is for the better.
        p: how often noise alone gives such a step.
    """

    since: str
    before: float
    after: float
    better: bool
    p: float

    @property
    def relative(self) -> float | None:
        """By which share of the level before it changed; None where that was 0."""
        return self.after / self.before - 1 if self.before else None


@dataclass(frozen=True)
class Finding:
    """What is said of one figure.

    Attributes:
        answer: what came of it.
        why: in words; empty where nothing is to be said.
        change: the last step within the window, for better or worse.
        value: of the night that was judged; None where there is none.
        nights: how many nights with a value were looked at.
    """

    answer: Answer
    why: str
    change: Change | None
    value: float | None
    nights: int


def find(
    values: Mapping[str, float | None], night: str, *, more_is_better: bool, logs: bool
) -> Finding:
    """Judge a figure on one night by the nights before it.

    Args:
        values: night -> value; None for a night without one.
        night: the night.
        more_is_better: the figure's direction.
        logs: whether its noise is a share of it, as that of times is.
    """
    window = sorted(each for each in values if each <= night)[-WINDOW:]
    known = [(each, value) for each in window if (value := values[each]) is not None]
    nights, figures = [each for each, _ in known], [value for _, value in known]
    value = values.get(night)
    if value is None:
        return Finding("not measured", "", None, None, len(known))
    if len(known) < FEWEST:
        said = f"{len(known)} of the {FEWEST} nights that a verdict needs"
        return Finding("inconclusive", said, None, value, len(known))
    scaled = _logs(figures) if logs else figures
    change, began = _change(nights, figures, scaled, more_is_better=more_is_better)
    if change and not change.better:
        return Finding("regressed", "", change, value, len(known))
    if _alone(scaled[began:], more_is_better=more_is_better):
        said = "one night far from the level; a second one decides"
        return Finding("inconclusive", said, change, value, len(known))
    return Finding("ok", "", change, value, len(known))


def _change(
    nights: Sequence[str],
    figures: Sequence[float],
    scaled: Sequence[float],
    *,
    more_is_better: bool,
) -> tuple[Change | None, int]:
    """The last step, and how many nights lie before it."""
    steps = find_steps(scaled, ALPHA)
    if not steps:
        return None, 0
    place, first = steps[-1].place, steps[-2].place if len(steps) > 1 else 0
    before, after = statistics.median(figures[first:place]), statistics.median(figures[place:])
    better = (after > before) is more_is_better
    return Change(nights[place], before, after, better, steps[-1].p), place


def _alone(scaled: Sequence[float], *, more_is_better: bool) -> bool:
    """Whether the last night is far from its level, on the worse side."""
    if len(scaled) < FEWEST:
        return False
    worse = (scaled[-1] < statistics.median(scaled[:-1])) is more_is_better
    return worse and last_alone_p(scaled) <= ALPHA


def _logs(figures: Sequence[float]) -> Sequence[float]:
    """Logarithms, where there are any."""
    return [math.log(each) for each in figures] if min(figures) > 0 else figures
