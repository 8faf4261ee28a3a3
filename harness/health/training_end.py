"""Whether a training was still getting better when it ended, by the values of its own series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.health.critical_values import FEWEST
from harness.health.trend import find_trend
from harness.series.loss_evidence import loss_evidence
from harness.series.scalar_names import TRAINING, VALIDATION
from harness.series.series_file import own_points

END = 5
"""The last fifth of a training's steps is its end, as for the end of the loss."""

FEWEST_STEPS = 12
"""Steps that an end has at least, or nothing is said of it."""

RISING = 0.02
"""Training accuracy that the later half of the end has to gain on the earlier one, to be told."""

MOVING = 0.02
"""Share by which a validation's metric has to get better likewise."""

Values = tuple[float, ...]
Gain = tuple[float, float]


@dataclass(frozen=True)
class TrainingEnd:
    """The end of a training.

    Attributes:
        accuracy: training accuracies of its last fifth; empty if these are too few.
        validation: metric -> values of the later half of its validations; without those that have
            too few.
        evidence: facts about its loss (see `loss_evidence`); empty where none were kept.
    """

    accuracy: Values = ()
    validation: Mapping[str, Values] = field(default_factory=dict)
    evidence: Mapping[str, float] = field(default_factory=dict)

    @property
    def rise(self) -> Gain | None:
        """Training accuracy in both halves of the end, if it still rose; else None."""
        found = _gain(self.accuracy, higher_is_better=True)
        return found if found and found[1] - found[0] > RISING else None

    def gain(self, metric: str, *, higher_is_better: bool) -> Gain | None:
        """Return a validation's metric in both halves of its end, if it still got better."""
        values = self.validation.get(metric, ())
        found = _gain(values, higher_is_better=higher_is_better)
        return found if found and abs(found[1] - found[0]) > MOVING * abs(found[0]) else None


def _gain(values: Values, *, higher_is_better: bool) -> Gain | None:
    """Return the means of both halves of values that the trend's test calls improving."""
    if len(values) < FEWEST:
        return None
    held = np.array(values)
    times = np.arange(len(held), dtype=np.float64)
    if find_trend(times, held, higher_is_better=higher_is_better).verdict != "improving":
        return None
    half = len(held) // 2
    return float(held[:half].mean()), float(held[-half:].mean())


def mean_end(ends: Sequence[TrainingEnd]) -> TrainingEnd:
    """Return the mean course of several trainings of one entry, by seed or fold, at their ends.

    One of them alone may rise by chance, the more likely the more there are. Where they are not
    equally long, the last values of each are taken together; one without values has no part.
    """
    names = sorted({name for end in ends for name in end.validation})
    validation = {name: _mean([end.validation.get(name, ()) for end in ends]) for name in names}
    return TrainingEnd(_mean([end.accuracy for end in ends]), validation)


def _mean(courses: Sequence[Values]) -> Values:
    """Return the mean of each place, counted from the end."""
    held = [course for course in courses if course]
    fewest = min(map(len, held), default=0)
    ends = [course[len(course) - fewest :] for course in held]
    return tuple(float(each) for each in np.mean(ends, axis=0)) if held else ()


def read_training_end(path: Path) -> TrainingEnd:
    """Read how a training ended from the file of its series, packed or not.

    Raises:
        DataError: the file is no series of ours.
    """
    points = defaultdict[str, list[tuple[int, float]]](list)
    for name, step, _, _, value in own_points(path)[0].rows:
        if np.isfinite(value):
            points[name].append((step, value))
    found = {name: [value for _, value in each] for name, each in points.items()}
    accuracy = last_part(found.get(f"{TRAINING}/Accuracy", ()), END, FEWEST_STEPS)
    group = f"{VALIDATION}/"
    halves = {name: last_part(values, 2, FEWEST) for name, values in found.items()}
    validation = {
        name.removeprefix(group): half
        for name, half in halves.items()
        if name.startswith(group) and half
    }
    return TrainingEnd(accuracy, validation, loss_evidence(points))


def last_part(values: Sequence[float], part: int, fewest: int) -> Values:
    """Return the last of so many equal parts of some values; nothing if it has too few."""
    count = len(values) // part
    return tuple(values[-count:]) if count >= fewest else ()
