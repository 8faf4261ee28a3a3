"""How a training stood when it ended: whether what it learnt was still rising."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import DataError
from harness.series.loss_evidence import loss_evidence
from harness.series.names import TRAINING, VALIDATION
from harness.series.series_file import unpacked

LEAST = 20
"""Steps that a series must have for its end to be told from its middle."""

RISING = 0.02
"""Training accuracy by which the last tenth has to lie above the one before to be rising."""

MOVING = 0.02
"""Share by which the last validation has to be better than the one before to be moving."""

NEAR = 0.2
"""The last two validations lie within this share of the run, or say nothing of its end."""

Points = list[tuple[int, float]]


@dataclass(frozen=True)
class TrainingEnd:
    """The end of a training, by its own series.

    Attributes:
        accuracy: mean training accuracy of the last tenth but one, and of the last; None if the
            series does not tell it, or is too short.
        noise: standard error of the difference of the two.
        validation: metric -> its value at the last validation but one, and at the last.
        evidence: facts about its loss (see `loss_evidence`); empty where none were kept.
    """

    accuracy: tuple[float, float] | None
    noise: float
    validation: Mapping[str, tuple[float, float]]
    evidence: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_rising(self) -> bool:
        """True if training accuracy still rose, by more than its noise."""
        if self.accuracy is None:
            return False
        before, after = self.accuracy
        return after - before > max(RISING, 2 * self.noise)

    def is_improving(self, metric: str, *, higher_is_better: bool) -> bool:
        """Check if a metric of the validation split still got better."""
        if metric not in self.validation:
            return False
        before, after = self.validation[metric]
        gain = after - before if higher_is_better else before - after
        return gain > MOVING * abs(before)


def read_training_end(path: Path) -> TrainingEnd:
    """Read how a training ended from the file of its series, packed or not.

    Raises:
        DataError: the file is no series of ours.
    """
    found: dict[str, Points] = {}
    for number, raw in enumerate(unpacked(path).splitlines(), 1):
        for name, point in _values(path, number, raw):
            found.setdefault(name, []).append(point)
    last = max((points[-1][0] for points in found.values()), default=0)
    accuracy, noise = _tenths([value for _, value in found.get(f"{TRAINING}/Accuracy", [])])
    groups = f"{VALIDATION}/"
    validation = {
        name.removeprefix(groups): (points[-2][1], points[-1][1])
        for name, points in found.items()
        if name.startswith(groups) and len(points) > 1 and points[-2][0] >= (1 - NEAR) * last
    }
    return TrainingEnd(accuracy, noise, validation, loss_evidence(found))


def _values(path: Path, number: int, raw: bytes) -> Sequence[tuple[str, tuple[int, float]]]:
    try:
        line: Any = json.loads(raw)
        values, step = line.get("values", {}), line.get("step", 0)
        if "vector" in line:
            return []
        return [(str(name), (int(step), float(value))) for name, value in values.items()]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path}:{number}: no line of a series; get the file anew") from error


def _tenths(values: Sequence[float]) -> tuple[tuple[float, float] | None, float]:
    """Return the means of the last two tenths, and the standard error of their difference."""
    if len(values) < LEAST:
        return None, 0.0
    tenth = len(values) // 10
    before, after = values[-2 * tenth : -tenth], values[-tenth:]
    spread = statistics.stdev([*before, *after])
    return (statistics.fmean(before), statistics.fmean(after)), float(spread * (2 / tenth) ** 0.5)
