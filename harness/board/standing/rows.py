"""Rows: the records of one entry joined over its seeds (and folds), and the rows' names."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import groupby
from typing import Any

from harness.board.evidence import UNSEEN
from harness.board.standing.costs import cost_of, environments_of
from harness.board.standing.figures import Figure
from harness.health.training_end import TrainingEnd
from harness.records.costs import COSTS
from harness.records.documents import digest
from harness.records.recipe_name import read_recipe_name
from harness.records.record import Metric, Record, Trust

INCOMPLETE = "incomplete"
"""The state of a row if folds of it have no result."""

DAGGER = "†"
"""Marks an entry of which items were left out."""

CLAIM = "‡"
"""Marks an entry whose figures were claimed, and not made here."""

LEAKY = "leaky"
"""Shown as the trust of rows whose test holds copies of training pictures, on purpose."""


@dataclass(frozen=True)
class FiledRecord:
    """A record and, if it is published, its path relative to the tables.

    Attributes:
        parts: records of the folds from which it was joined; empty for a record as written.
        is_unseen: True if a signature alone carries its numbers.
        end: how its training ended, by the series beside it; None if none lies there.
    """

    record: Record
    path: str = ""
    parts: tuple[FiledRecord, ...] = ()
    is_unseen: bool = False
    end: TrainingEnd | None = None

    @cached_property
    def entry(self) -> str:
        """Digest that all seeds and folds of its row share."""
        return row_digest(self.record)

    @property
    def files(self) -> tuple[FiledRecord, ...]:
        """The records that lie on the disk."""
        return self.parts or (self,)


@dataclass(frozen=True, eq=False)
class Row:
    """One entry: its done records in the order of their seeds, or one record that is not done."""

    filed: tuple[FiledRecord, ...]

    @cached_property
    def results(self) -> tuple[Record, ...]:
        """One record for each seed, its folds joined."""
        return tuple(filed.record for filed in self.filed)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The records behind the row, one for each network."""
        return tuple(part.record for filed in self.filed for part in filed.files)

    @property
    def ends(self) -> tuple[TrainingEnd, ...]:
        """How the trainings behind it ended, of those whose series are there."""
        ends = (part.end for filed in self.filed for part in filed.files)
        return tuple(end for end in ends if end is not None)

    @cached_property
    def first(self) -> Record:
        """The record that speaks for what all of them share."""
        return self.filed[0].record

    @property
    def entry(self) -> str:
        """Digest that all of its records share, and no other entry's."""
        return self.filed[0].entry

    @cached_property
    def is_done(self) -> bool:
        """True if the row holds results."""
        return self.first.state == "done"

    @cached_property
    def trust(self) -> Trust:
        """Trust in its figures: `reproduced` only if each of its records was."""
        trusts = {record.trust for record in self.records}
        return trusts.pop() if len(trusts) == 1 else original_trust(self.first)

    @property
    def shown_trust(self) -> str:
        """The word for its trust in tables: of a test with copies of training data, `leaky`."""
        return LEAKY if self.is_leaky and not self.is_claimed else self.trust

    @property
    def is_leaky(self) -> bool:
        """True if copies of its training data were tested, on purpose: it takes no rank."""
        return self.first.is_leaky

    @cached_property
    def flag(self) -> str:
        """What is to be told beside its trust; empty of most."""
        parts = (part for filed in self.filed for part in filed.files)
        return UNSEEN if self.is_done and any(part.is_unseen for part in parts) else ""

    @cached_property
    def is_damaged(self) -> bool:
        """True if items were left out of the data of one of its records."""
        return any(record.dataset.left_out for record in self.records)

    @cached_property
    def is_claimed(self) -> bool:
        """True if its figures were taken from elsewhere: it stands apart and takes no rank."""
        return self.first.trust == "claimed"

    @cached_property
    def is_compared(self) -> bool:
        """True if it is ranked, and its costs are compared with the others'.

        An exported file is another form of a row's network, and no competitor of its own.
        """
        return self.is_done and not (self.is_claimed or self.is_leaky or self.first.is_exported)

    @property
    def state(self) -> str:
        """The state of its record; `incomplete` if a fold has no result."""
        return self.first.state if self.is_done or not self.filed[0].parts else INCOMPLETE

    @cached_property
    def name(self) -> str:
        """The entry's name; the baseline's says that nothing was trained."""
        return f"{self.first.entry} (no training)" if self.first.is_baseline else self.first.entry

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Each metric of a done row over its seeds."""
        found: dict[str, list[Metric]] = defaultdict(list)
        for record in self.results if self.is_done else ():
            for name, metric in record.metrics.items():
                found[name].append(metric)
        return {name: _figure(metrics) for name, metrics in found.items()}

    def figure(self, metric: str) -> Figure | None:
        """Return the metric over the row's seeds; None if no done seed has it."""
        return self.figures.get(metric)

    @cached_property
    def left_one_out(self) -> Callable[[str], dict[str, float] | None]:
        """The metric without each unit, as a mean over the seeds; None if seeds differ in units.

        An entry without such values gives None too.
        """
        return cache(partial(_left_one_out, self.results))

    @cached_property
    def environments(self) -> dict[str, str]:
        """The environments in which a done row measured a cost: digest -> name."""
        return environments_of(self.records) if self.is_done else {}

    @cached_property
    def costs(self) -> dict[str, dict[str, Any]]:
        """Environment's digest -> name of a cost -> its value over the done row's seeds."""
        groups: dict[str, list[Record]] = defaultdict(list)
        for record in self.records if self.is_done else ():
            groups[record.environment_digest].append(record)
        names = [name for name, facts in COSTS.items() if facts.per_environment]
        return {
            digest_: {
                name: value for name in names if (value := cost_of(records, name)) is not None
            }
            for digest_, records in groups.items()
        }


def seed_text(seed: int | None) -> str:
    """Return a seed as people read it."""
    return "none" if seed is None else str(seed)


def join(filed: Iterable[FiledRecord]) -> list[Row]:
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
        apart = row.is_done and row.is_claimed
        return (not row.is_done, apart, merit, row.name, seed_of(row.first), row.entry)

    return sorted(rows, key=place)


def _left_one_out(results: Sequence[Record], metric: str) -> dict[str, float] | None:
    seeds = [record.left_one_out.get(metric, {}) for record in results]
    units = seeds[0].keys()
    if not units or any(seed.keys() != units for seed in seeds):
        return None
    count = len(seeds)
    return {unit: math.fsum([seed[unit] for seed in seeds]) / count for unit in sorted(units)}


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
    """Return the sample standard deviation; that of `statistics` is slow, as it uses fractions.

    It is computed from the first value on, so that equal values have none.
    """
    steps, count = [value - values[0] for value in values], len(values)
    squares = math.fsum(step * step for step in steps) - math.fsum(steps) ** 2 / count
    return math.sqrt(max(0.0, squares) / (count - 1))


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if len(known) == len(values) else None


def row_digest(record: Record) -> str:
    """Return the digest that seeds (and folds) of one row share: names, and their content."""
    loss = record.loss.model_dump() if record.loss else None
    model = record.model.model_dump()
    return digest(
        [model, loss, record.recipe_name, record.recipe, record.track, original_trust(record)]
    )


def original_trust(record: Record) -> Trust:
    """Return the trust without attestations, which do not change how figures were made."""
    return "measured" if record.trust == "reproduced" else record.trust


def seed_of(record: Record) -> tuple[bool, int]:
    """Return the sort key of a row's records; a record without a seed comes before seed 0."""
    return record.seed is not None, record.seed or 0


def labels(rows: Sequence[Row]) -> list[str]:
    """Name each row; entries of one name also say in what they differ."""
    namesakes: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        namesakes[row.name].append(place)
    said = {
        place: text
        for places in namesakes.values()
        for place, text in zip(places, _distinctions([rows[i] for i in places]), strict=True)
    }
    marks = (f" {DAGGER}" * row.is_damaged + f" {CLAIM}" * row.is_claimed for row in rows)
    return [
        f"{row.name}{said[i]}{mark}" for i, (row, mark) in enumerate(zip(rows, marks, strict=True))
    ]


def _distinctions(rows: Sequence[Row]) -> list[str]:
    """Return the details in which each of some rows of one name differs from the others."""
    if len(rows) == 1:
        return [""]
    details = [_details(row.first) for row in rows]
    needed = _shortest_details(details)
    told = [", ".join(own[i] for i in needed if own[i]) for own in details]
    return [f" [{text}]" if text else "" for text in told]


def _shortest_details(namesakes: list[tuple[str, ...]]) -> list[int]:
    """Return the first details that tell all of them apart, and no more than that."""
    places = range(len(namesakes[0]))
    differing = [i for i in places if len({details[i] for details in namesakes}) > 1]
    for count in range(len(differing)):
        told = {tuple(details[i] for i in differing[:count]) for details in namesakes}
        if len(told) == len(set(namesakes)):
            return differing[:count]
    return differing


def _details(record: Record) -> tuple[str, ...]:
    """Return what may differ between entries of one name; contents come after versions."""
    loss = record.loss
    versions = f"model v{record.model.version}" + (f", loss v{loss.version}" if loss else "")
    parts = [record.model, loss] if loss else [record.model]
    fields = [[part.adapter, part.fields] for part in parts]
    # All rows of a table have one budget, and a curve joins the tables of several.
    recipe = read_recipe_name(record.recipe_name)
    return (
        f"recipe {recipe.recipe}" if recipe.recipe else "",
        f"with {recipe.changes}" if recipe.changes else "",
        recipe.extended,
        recipe.export,
        f"{record.track} track",
        record.trust,
        versions,
        f"fields {digest(fields)[:6]}",
        f"recipe content {digest(record.recipe)[:6]}" if record.recipe else "",
    )
