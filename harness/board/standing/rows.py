"""Rows: the records of one entry joined over its seeds, after its folds where there are some."""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from harness.board.standing.once import Once
from harness.records.documents import digest
from harness.records.record import Metric, Record, Trust
from harness.records.record_files import to_document

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

    @cached_property
    def entry(self) -> str:
        """What it shares with the other seeds and folds of its row."""
        return joined_by(self.record)

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
class Row(Once):
    """One entry: its done records in the order of their seeds, or one record that is not done."""

    filed: tuple[Filed, ...]

    @cached_property
    def results(self) -> tuple[Record, ...]:
        """One record for each seed, its folds joined."""
        return tuple(filed.record for filed in self.filed)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The records behind the row, one for each network."""
        return tuple(part.record for filed in self.filed for part in filed.files)

    @cached_property
    def first(self) -> Record:
        """The record that speaks for what all of them share."""
        return self.filed[0].record

    @property
    def entry(self) -> str:
        """What all of its records share, and no other entry's."""
        return self.filed[0].entry

    @cached_property
    def done(self) -> bool:
        """True where the row holds results."""
        return self.first.state == "done"

    @cached_property
    def trust(self) -> Trust:
        """How it is known: `reproduced` only where each of its records was."""
        trusts = {record.trust for record in self.records}
        return trusts.pop() if len(trusts) == 1 else _made(self.first)

    @cached_property
    def damaged(self) -> bool:
        """Whether items were left out of the data of one of its records."""
        return any(record.dataset.left_out for record in self.records)

    @cached_property
    def claimed(self) -> bool:
        """Whether its figures were taken from elsewhere: it stands apart and takes no rank."""
        return self.first.trust == "claimed"

    @cached_property
    def compared(self) -> bool:
        """Whether it is ranked, and held against the others in what it costs."""
        return self.done and not self.claimed

    @property
    def state(self) -> str:
        """The state of its record; `incomplete` where a fold has no result."""
        return self.first.state if self.done or not self.filed[0].parts else INCOMPLETE

    @cached_property
    def name(self) -> str:
        """The entry's name; the baseline's says that nothing was trained."""
        return f"{self.first.entry} (no training)" if self.first.is_baseline else self.first.entry

    def figure(self, metric: str) -> Figure | None:
        """The metric over the row's seeds; None where no done seed has it."""
        return self.once(("figure", metric), lambda: self._figure(metric))

    def left_one_out(self, metric: str) -> dict[str, float] | None:
        """The metric without each unit, as a mean over the seeds; None where seeds differ in units.

        An entry without such values gives None too.
        """
        return self.once(("left one out", metric), lambda: self._left_one_out(metric))

    def _figure(self, metric: str) -> Figure | None:
        found = [r.metrics[metric] for r in self.results if self.done and metric in r.metrics]
        return _figure(found) if found else None

    def _left_one_out(self, metric: str) -> dict[str, float] | None:
        seeds = [record.left_one_out.get(metric, {}) for record in self.results]
        units = seeds[0].keys()
        if not units or any(seed.keys() != units for seed in seeds):
            return None
        count = len(seeds)
        return {unit: math.fsum([seed[unit] for seed in seeds]) / count for unit in sorted(units)}


def latest(filed: Iterable[Filed]) -> tuple[list[Filed], list[Filed]]:
    """Part the last finished record of each entry, seed and fold from the older ones.

    Args:
        filed: records of one table.

    Returns:
        The records kept, and the older ones from old to new; neither order depends on theirs.
    """
    groups: dict[tuple[Hashable, ...], list[Filed]] = {}
    for each in filed:
        groups.setdefault(_identity(each.record), []).append(each)
    aged = [sorted(group, key=_age) if len(group) > 1 else group for group in groups.values()]
    older = [each for group in aged for each in group[:-1]]
    return [group[-1] for group in aged], sorted(older, key=_age)


def before_last(kept: Iterable[Filed], older: Iterable[Filed]) -> list[Filed]:
    """The records that were kept before the last ones took the places of older ones.

    Args:
        kept, older: as `latest` parts them.
    """
    last = {_identity(each.record): each for each in older}
    return [last.get(_identity(each.record), each) for each in kept]


def join(filed: Iterable[Filed]) -> list[Row]:
    """Join records of one table over their seeds; each that is not done stays a row of its own."""
    ordered = sorted(filed, key=lambda each: (each.entry, seed_of(each.record)))
    done = [each for each in ordered if each.record.state == "done"]
    rows = [Row(tuple(group)) for _, group in groupby(done, lambda each: each.entry)]
    return rows + [Row((each,)) for each in ordered if each.record.state != "done"]


def arrange(rows: Iterable[Row], primary: str, *, higher_is_better: bool) -> list[Row]:
    """Sort rows, best first; rows without the metric come after them.

    Claimed rows stand apart behind all others with results; rows not done come last.
    """
    sign = -1.0 if higher_is_better else 1.0

    def place(row: Row) -> tuple[bool, bool, float, str, tuple[bool, int], str]:
        figure = row.figure(primary)
        merit = sign * figure.value if figure else math.inf
        apart = row.done and row.claimed
        return (not row.done, apart, merit, row.name, seed_of(row.first), row.entry)

    return sorted(rows, key=place)


def _figure(metrics: Sequence[Metric]) -> Figure:
    values = [metric.value for metric in metrics]
    return Figure(
        value=statistics.fmean(values),
        low=_mean_of_all([metric.low for metric in metrics]),
        high=_mean_of_all([metric.high for metric in metrics]),
        spread=_deviation(values) if len(values) > 1 else None,
        seeds=len(values),
    )


def _deviation(values: Sequence[float]) -> float:
    """The sample standard deviation; that of `statistics` computes with fractions, for long.

    From the first value on, so that values which are equal have none.
    """
    steps, count = [value - values[0] for value in values], len(values)
    squares = math.fsum(step * step for step in steps) - math.fsum(steps) ** 2 / count
    return math.sqrt(max(0.0, squares) / (count - 1))


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if len(known) == len(values) else None


def _identity(record: Record) -> tuple[Hashable, ...]:
    """What a later record must share with an older one to take its place.

    Trust belongs to it: a claim never takes the place of a measurement.
    """
    loss = record.loss.name if record.loss else None
    fold = record.dataset.fold.index if record.dataset.fold else None
    return record.model.name, loss, record.recipe_name, record.seed, _made(record), fold


def _age(filed: Filed) -> tuple[str, int, str, str]:
    record = filed.record
    stages = max((stage.finished or "" for stage in record.stages.values()), default="")
    return record.finished or stages, record.attempt, digest(to_document(record)), filed.path


def joined_by(record: Record) -> str:
    """What seeds (and folds) of one row share: names, and the content behind the names."""
    loss = record.loss.model_dump() if record.loss else None
    model = record.model.model_dump()
    return digest([model, loss, record.recipe_name, record.recipe, record.track, _made(record)])


def _made(record: Record) -> Trust:
    """How its figures were made; that somebody made them again changes nothing of it."""
    return "measured" if record.trust == "reproduced" else record.trust


def seed_of(record: Record) -> tuple[bool, int]:
    """By which a row's records are ordered; none comes before 0."""
    return record.seed is not None, record.seed or 0
