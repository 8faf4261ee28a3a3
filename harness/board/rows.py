"""Rows: the records of one entry joined over its seeds, after its folds where there are some."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.records.canonical import digest
from harness.records.record import Metric, Record
from harness.records.store import to_document

INCOMPLETE = "incomplete"
"""The state of a row of which folds have no result."""


@dataclass(frozen=True)
class Filed:
    """A record and, where it is published, its path relative to the tables.

    Attributes:
        parts: the records of the folds that it was joined from; none where it is one as it is.
    """

    record: Record
    path: str = ""
    parts: tuple[Filed, ...] = ()

    @property
    def files(self) -> tuple[Filed, ...]:
        """The records that lie on the disk."""
        return self.parts or (self,)


@dataclass(frozen=True)
class Figure:
    """A metric over a row's seeds.

    Attributes:
        value: mean over the seeds.
        low: mean of the seeds' lower ends over the test sample; None unless every seed has one.
        high: the same of the upper ends.
        spread: sample standard deviation over the seeds; None for one seed.
        seeds: how many seeds there are in it.
    """

    value: float
    low: float | None
    high: float | None
    spread: float | None
    seeds: int


@dataclass(frozen=True)
class Row:
    """One entry: its done records in the order of their seeds, or one record that is not done."""

    filed: tuple[Filed, ...]

    @property
    def results(self) -> tuple[Record, ...]:
        """One record for each seed, its folds joined."""
        return tuple(filed.record for filed in self.filed)

    @property
    def records(self) -> tuple[Record, ...]:
        """The records behind the row, one for each network."""
        return tuple(part.record for filed in self.filed for part in filed.files)

    @property
    def first(self) -> Record:
        """The record that speaks for what all of them share."""
        return self.filed[0].record

    @property
    def done(self) -> bool:
        """True where the row holds results."""
        return self.first.state == "done"

    @property
    def state(self) -> str:
        """The state of its record; `incomplete` where a fold has no result."""
        return self.first.state if self.done or not self.filed[0].parts else INCOMPLETE

    @property
    def name(self) -> str:
        """The entry's name; the baseline's says that nothing was trained."""
        return f"{self.first.entry} (no training)" if self.first.is_baseline else self.first.entry

    def figure(self, metric: str) -> Figure | None:
        """The metric over the row's seeds; None where no done seed has it."""
        found = [r.metrics[metric] for r in self.results if self.done and metric in r.metrics]
        return _figure(found) if found else None

    def left_one_out(self, metric: str) -> dict[str, float] | None:
        """The metric without each unit, as a mean over the seeds; None where seeds differ in units.

        An entry without such values gives None too.
        """
        seeds = [record.left_one_out.get(metric, {}) for record in self.results]
        units = seeds[0].keys()
        if not units or any(seed.keys() != units for seed in seeds):
            return None
        return {unit: statistics.fmean(seed[unit] for seed in seeds) for unit in sorted(units)}


def latest(filed: Iterable[Filed]) -> tuple[list[Filed], int]:
    """Keep the last finished record of each entry, seed and fold.

    Args:
        filed: records of one table.

    Returns:
        The records kept, in an order that does not depend on theirs, and how many were older.
    """
    ordered = sorted(filed, key=lambda each: (_identity(each.record), _age(each.record)))
    groups = [list(group) for _, group in groupby(ordered, lambda each: _identity(each.record))]
    return [group[-1] for group in groups], len(ordered) - len(groups)


def join(filed: Iterable[Filed]) -> list[Row]:
    """Join records of one table over their seeds; each that is not done stays a row of its own."""
    ordered = sorted(filed, key=lambda each: (joined_by(each.record), seed_of(each.record)))
    done = [each for each in ordered if each.record.state == "done"]
    rows = [Row(tuple(group)) for _, group in groupby(done, lambda each: joined_by(each.record))]
    return rows + [Row((each,)) for each in ordered if each.record.state != "done"]


def arrange(rows: Iterable[Row], primary: str, *, higher_is_better: bool) -> list[Row]:
    """Sort rows, best first; rows without the metric come after, rows not done come last."""
    sign = -1.0 if higher_is_better else 1.0

    def place(row: Row) -> tuple[bool, float, str, tuple[bool, int], str]:
        figure = row.figure(primary)
        merit = sign * figure.value if figure else math.inf
        return (not row.done, merit, row.name, seed_of(row.first), joined_by(row.first))

    return sorted(rows, key=place)


def _figure(metrics: Sequence[Metric]) -> Figure:
    values = [metric.value for metric in metrics]
    return Figure(
        value=statistics.fmean(values),
        low=_mean_of_all([metric.low for metric in metrics]),
        high=_mean_of_all([metric.high for metric in metrics]),
        spread=statistics.stdev(values) if len(values) > 1 else None,
        seeds=len(values),
    )


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if len(known) == len(values) else None


def _identity(record: Record) -> str:
    """What a later record must share with an older one to take its place.

    Trust belongs to it: a claim never takes the place of a measurement.
    """
    loss = record.loss.name if record.loss else None
    fold = [record.dataset.fold.index] if record.dataset.fold else []
    return digest([record.model.name, loss, record.recipe_name, record.seed, record.trust, *fold])


def _age(record: Record) -> tuple[str, int, str]:
    stages = max((stage.finished or "" for stage in record.stages.values()), default="")
    return record.finished or stages, record.attempt, digest(to_document(record))


def joined_by(record: Record) -> str:
    """What seeds (and folds) of one row share: names, and the content behind the names."""
    loss = record.loss.model_dump() if record.loss else None
    model = record.model.model_dump()
    return digest([model, loss, record.recipe_name, record.recipe, record.track, record.trust])


def seed_of(record: Record) -> tuple[bool, int]:
    """By which a row's records are ordered; none comes before 0."""
    return record.seed is not None, record.seed or 0
