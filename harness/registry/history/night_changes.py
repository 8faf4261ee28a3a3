"""What moved in a table on one night: its figures beside those of the night before.

A change of quality from one night to the next is judged as steps are, by the noise of seeds
(`beyond_noise`). Times differ on every night, so a speed moved where its verdict says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.board.standing.figures import six_digits
from harness.board.standing.table import Table
from harness.board.versions.changelog import LogEntry
from harness.board.writing.captions import title
from harness.metrics.steps import FEWEST
from harness.registry.history.judging import (
    QUALITY,
    SEEDS_ALPHA,
    FigureVerdict,
    LevelChange,
    beyond_noise,
    judge,
    seed_spreads,
)
from harness.registry.history.line import HistoryLine
from harness.registry.history.night_grids import MovedFigure, beside_grid, moved_grid, values_of
from harness.registry.history.night_page import verdict_words
from harness.registry.history.nights import EntryNights, table_of
from harness.registry.history.nights import Table as NightTable

TESTED = (
    f"Quality: significant where other seeds do as much in fewer than {SEEDS_ALPHA:.0%} of cases; "
    "without other seeds, where it left the interval over the test sample. Two nights alone: a "
    "step that stays is what a verdict needs."
)


@dataclass(frozen=True)
class TableNight:
    """One table on one night, in one environment.

    Attributes:
        table: the table, made of the night's records.
        before: the last night before that has lines of it; empty if there is none.
        moved: what moved since.
        log: that in words.
        beside: every figure of the night beside that of the night before.
    """

    table: Table
    before: str
    moved: tuple[MovedFigure, ...]
    log: LogEntry
    beside: LogEntry

    @property
    def is_still(self) -> bool:
        """True if nothing moved since the night before; False if there is none."""
        return bool(self.before) and not self.moved


class Night:
    """One night of a history.

    Args:
        lines: the history.
        night: the night; later lines are passed over.
    """

    def __init__(self, lines: Iterable[HistoryLine], night: str) -> None:
        known = [line for line in lines if line.night <= night]
        self.night = night
        self._before: dict[NightTable, str] = {}
        for line in known:
            if line.night < night:
                last = self._before.get(table_of(line), "")
                self._before[table_of(line)] = max(last, line.night)
        self._verdicts: dict[int, list[FigureVerdict]] = {}
        self._series: list[EntryNights] = []
        for verdict in judge(known, night):
            if id(verdict.series) not in self._verdicts:
                self._series.append(verdict.series)
            self._verdicts.setdefault(id(verdict.series), []).append(verdict)
        self._spreads = seed_spreads(self._series)

    def compare(self, table: Table, sources: Mapping[int, str]) -> list[TableNight]:
        """Compare a table of the night's records with the night before, in each environment.

        Args:
            table: the table.
            sources: `id` of each of its records -> sha256 of the record's file.
        """
        named = self._named(table, sources)
        places = dict.fromkeys(series.table for _, series in named)
        environments = dict.fromkeys(place[3] for place in places)
        return [
            self._compared(
                table, [each for each in named if each[1].table[3] == environment],
                [place for place in places if place[3] == environment],
            )
            for environment in environments
        ]  # fmt: skip

    def _named(self, table: Table, sources: Mapping[int, str]) -> list[tuple[str, EntryNights]]:
        """Return the series of a table's rows, with their names, in the order of the rows."""
        by_record = {
            line.record: series
            for series in self._series
            for line in series.nights.get(self.night, ())
        }
        datasets = {record.dataset.name for record in table.records}
        found: dict[int, tuple[str, EntryNights]] = {}
        for row, name in zip(table.rows, table.labels, strict=True):
            for record in row.records:
                if series := by_record.get(sources[id(record)]):
                    fold = f", {record.dataset.name}" if len(datasets) > 1 else ""
                    found.setdefault(id(series), (f"{name}{fold}", series))
        return list(found.values())

    def _compared(
        self, table: Table, named: Sequence[tuple[str, EntryNights]], places: Sequence[NightTable]
    ) -> TableNight:
        before = max((self._before.get(place, "") for place in places), default="")
        moved = tuple(each for name, series in named for each in self._moved(name, series, before))
        machine = named[0][1].last.machine
        log = LogEntry(
            f"{title(table)}: since {before}" if before else title(table),
            tuple(self._lines(named, places, before)),
            tuple([moved_grid(moved)] if moved else []),
            tuple(self._notes(named, moved)),
        )
        shown = [
            (name, {each.figure: each for each in self._verdicts[id(series)]})
            for name, series in named
        ]
        told = f"Beside the night of {before}, on {machine}" if before else f"On {machine}"
        beside = LogEntry(told, (), (beside_grid(shown, before),), ())
        return TableNight(table, before, moved, log, beside)

    def _moved(self, name: str, series: EntryNights, before: str) -> Iterator[MovedFigure]:
        for verdict in self._verdicts[id(series)]:
            finding, was = verdict.finding, values_of(verdict).get(before)
            told = verdict_words(verdict)
            if verdict.figure == QUALITY and _differ(was, finding.value):
                why = self._noise(series, was, finding.value)
                said = f"not significant: {why}" if why else "significant"
                judged = [f"the history: {told}"] if _is_told(verdict) else []
                yield MovedFigure(name, verdict, was, "; ".join([said, *judged]), not why)
            elif _is_told(verdict):
                yield MovedFigure(name, verdict, was, told)

    def _noise(self, series: EntryNights, before: float | None, after: float | None) -> str:
        """Say why a change of quality since the night before may be noise; empty if it is none."""
        if before is None or after is None:
            return "not known of both nights"
        better = (after > before) is series.last.metric.higher_is_better
        change = LevelChange(self.night, before, after, better, p=1.0)
        return beyond_noise(series, change, self._spreads[series.table])

    def _lines(
        self,
        named: Sequence[tuple[str, EntryNights]],
        places: Sequence[NightTable],
        before: str,
    ) -> Iterator[str]:
        """Say which entries came, went, or are others than they were."""
        if not before:
            yield "The first night in this environment."
            return
        came = [name for name, series in named if before not in series.nights]
        other = [name for name, series in named if name in came and series.earlier]
        new = [name for name in came if name not in other]
        went = [
            series.entry
            for series in self._series
            if series.table in places and before in series.nights
            if self.night not in series.nights
        ]
        said = {
            "Not there on the night before": new,
            "Not compared, as recipe, data, rules or adapter are others": other,
            "Without a record": list(dict.fromkeys(went)),
        }
        yield from (f"{label}: {'; '.join(names)}." for label, names in said.items() if names)

    def _notes(
        self, named: Sequence[tuple[str, EntryNights]], moved: Sequence[MovedFigure]
    ) -> Iterator[str]:
        if any(each.verdict.figure == QUALITY for each in moved):
            yield TESTED
        nights = min(len(series.nights) for _, series in named)
        if nights < FEWEST:
            yield f"A verdict needs {FEWEST} nights; an entry here has {nights}."


def headline(nights: Iterable[TableNight]) -> str:
    """Return in a few words what moved in several tables."""
    moved = [each for night in nights for each in night.moved]
    answers = [each.verdict.answer for each in moved]
    significant = sum(each.is_significant for each in moved)
    counts = {
        "figure regressed": "figures regressed",
        "significant change of quality": "significant changes of quality",
        "figure not measured": "figures not measured",
    }
    numbers = (answers.count("regressed"), significant, answers.count("not measured"))
    told = [
        f"{number:,} {one if number == 1 else many}"
        for number, (one, many) in zip(numbers, counts.items(), strict=True)
        if number
    ]
    return ", ".join(told) or "nothing regressed, no significant change of quality"


def _differ(before: float | None, after: float | None) -> bool:
    """Check if both are known, and are published as different numbers."""
    if before is None or after is None:
        return False
    return six_digits(before) != six_digits(after)


def _is_told(verdict: FigureVerdict) -> bool:
    """Check if a verdict names a step, a night far from the level, or a value that is missing."""
    finding = verdict.finding
    if finding.answer == "inconclusive":
        return finding.nights >= FEWEST
    return finding.answer != "ok" or finding.change is not None
