"""Trainings that have begun: what their validation will be at their end, and who can still win."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import DataError
from harness.health.forecast import FARTHEST, forecast_curve
from harness.health.validation_curves import validation_curve
from harness.records.record import MetricFacts
from harness.run.job.results import find_result
from harness.run.job.spec import JobSpec
from harness.run.plan.durations import training_steps
from harness.run.plan.item_lengths import ItemLengths
from harness.series.series import Series
from harness.series.series_file import FILE, read_own


@dataclass(frozen=True)
class Outlook:
    """The validation of one training at its end.

    Attributes:
        value: the middle of what is likely, or what it is.
        best, worst: between them it lies 8 times in 10; both are `value` of one that is done.
        done: the share of its steps that is done.
    """

    value: float
    best: float
    worst: float
    done: float

    @property
    def is_done(self) -> bool:
        """True if nothing of it is forecast."""
        return self.done >= 1


def outlook_of(job: JobSpec, items: ItemLengths, facts: MetricFacts) -> Outlook | None:
    """Return the outlook of a job's training; None of one that has not come far enough.

    A training keeps its best validation, so that what it has reached already bounds its end.

    Args:
        job: with a training.
        items: of its dataset.
        facts: the primary metric, by which weights are selected.
    """
    if job.train is None:
        return None
    folder = job.stage_folder("train", job.train.key)
    primary = job.protocol.primary
    if (result := find_result(folder)) is not None:
        value = result["validation"].get(primary)
        return None if value is None else Outlook(value, value, value, 1.0)
    if not (folder / FILE).is_file():
        return None
    try:
        series = read_own(folder / FILE)
    except DataError:  # its own command sets it aside
        return None
    return forecast_end(series, training_steps(job, items), facts)


def forecast_end(series: Series, steps: int, facts: MetricFacts) -> Outlook | None:
    """Return the outlook of a training by its series; None where nothing can be forecast.

    Args:
        series: of a training that goes on.
        steps: its whole length.
        facts: the metric that its validation is judged by.
    """
    curve = validation_curve(series)
    if curve is None or not len(curve) or curve.higher_is_better != facts.higher_is_better:
        return None
    share = float(curve.steps[-1]) / steps
    if not 0 < share < 1 or share * FARTHEST < 1:
        return None
    at = min(float(curve.times[-1]) / share, FARTHEST * float(curve.times[-1]))
    told = forecast_curve(curve, [at])
    if not told:
        return None
    ends = sorted((told[0].low, told[0].high), reverse=facts.higher_is_better)
    reached = float(np.max(curve.values) if facts.higher_is_better else np.min(curve.values))
    keep = max if facts.higher_is_better else min
    value, best, worst = (keep(each, reached) for each in (told[0].value, *ends))
    return Outlook(value, best, worst, share)


def cannot_win(outlooks: Mapping[str, Sequence[Outlook]], facts: MetricFacts) -> dict[str, str]:
    """Return entries that can no longer win, each with the entry whose worst is beyond its best.

    Only of entries with a training under way: those that are done are told apart by test, not by
    the order of their validations. An entry without an outlook is left out on both sides.

    Args:
        outlooks: entry -> the outlooks of its trainings.
        facts: the metric.
    """
    sign = 1.0 if facts.higher_is_better else -1.0

    def merit(entry: str, end: str) -> float:
        values = [sign * getattr(each, end) for each in outlooks[entry]]
        return math.fsum(values) / len(values)

    known = [entry for entry, each in outlooks.items() if each]
    if len(known) < 2:
        return {}
    leader = max(known, key=lambda entry: merit(entry, "worst"))
    bound = merit(leader, "worst")
    return {
        entry: leader
        for entry in known
        if entry != leader
        and not all(each.is_done for each in outlooks[entry])
        and merit(entry, "best") < bound
    }


def outlooks_of(
    jobs: Iterable[JobSpec], items: ItemLengths, facts: MetricFacts
) -> tuple[Outlook, ...]:
    """Return the outlooks of those trainings of an entry that have come far enough."""
    return tuple(each for job in jobs if (each := outlook_of(job, items, facts)) is not None)
