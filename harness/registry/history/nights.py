"""A history's lines as series: one value a night, of entries whose nights may be compared."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from harness.registry.history.line import HistoryLine

Table = tuple[str, str, str, str]
"""Suite, profile, dataset, environment: what nights and pages have in common."""


@dataclass(frozen=True)
class EntryNights:
    """One entry in one environment.

    Attributes:
        table: suite, profile, dataset, environment.
        entry, recipe: its name.
        nights: night -> its lines, the last one of each seed, nights and seeds in order; only
            of the configuration that the last night had.
        earlier: nights before, of other configurations, which are not compared.
    """

    table: Table
    entry: str
    recipe: str | None
    nights: dict[str, tuple[HistoryLine, ...]]
    earlier: int

    @property
    def newest(self) -> str:
        """The last night that it has a line of."""
        return max(self.nights)

    @property
    def last(self) -> HistoryLine:
        """The line that speaks for what all of them share."""
        return self.nights[self.newest][0]

    @property
    def seeds(self) -> tuple[int | None, ...]:
        """Of the last night."""
        return tuple(line.seed for line in self.nights[self.newest])

    def values(self, read: Callable[[HistoryLine], float | None]) -> dict[str, float | None]:
        """Night -> mean over the seeds that have a value; None where none has."""
        return {night: _mean(read(line) for line in lines) for night, lines in self.nights.items()}

    def qualities(self) -> dict[str, float | None]:
        """Night -> mean of the primary metric; None unless the seeds are those of the last night.

        A mean over other seeds would be another number though nothing changed.
        """
        wanted = set(self.seeds)
        return {
            night: _mean(line.quality.value if line.quality else None for line in lines)
            if {line.seed for line in lines if line.quality} == wanted
            else None
            for night, lines in self.nights.items()
        }


def all_series(lines: Iterable[HistoryLine]) -> list[EntryNights]:
    """Return every entry's series, in the order of table, entry and recipe."""
    ordered = sorted(lines, key=_identity)
    return [_series(list(group)) for _, group in groupby(ordered, key=_identity)]


def _identity(line: HistoryLine) -> tuple[str, ...]:
    return (*table_of(line), line.entry, line.recipe or "")


def table_of(line: HistoryLine) -> Table:
    """Return the table whose nights a line shares."""
    return line.suite, line.profile, line.dataset, line.environment


def _series(lines: Sequence[HistoryLine]) -> EntryNights:
    ordered = sorted(lines, key=lambda line: line.night)
    last = ordered[-1]
    nights: dict[str, dict[int, HistoryLine]] = {}
    for line in ordered:
        if line.configuration == last.configuration:
            nights.setdefault(line.night, {})[-1 if line.seed is None else line.seed] = line
    others = {line.night for line in ordered} - nights.keys()
    by_seed = {night: tuple(dict(sorted(of.items())).values()) for night, of in nights.items()}
    return EntryNights(table_of(last), last.entry, last.recipe, by_seed, len(others))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def cost_reader(name: str) -> Callable[[HistoryLine], float | None]:
    """Return a function that reads a cost from a line, by the name of its field in records."""
    if name in HistoryLine.model_fields:
        return attrgetter(name)
    return lambda line: line.costs.get(name)
