"""Tables that differ in one number, read as curves: each entry's primary metric against it.

The number is the budget of a matched comparison, in crops seen, or one that a suite names of its
datasets (`curve` in the benchmark file).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

from harness.board.standing.figures import Figure
from harness.board.standing.rows import Row
from harness.board.standing.table import Table, page_place, table_key
from harness.board.standing.table_ranks import pair_p_values
from harness.records.record import MetricFacts

ALPHA = 0.05

BUDGET = "budget"
"""The axis of a curve over budgets; any other is the name of a number of datasets."""


@dataclass(frozen=True)
class CurvePoint:
    """An entry at one level of the axis.

    Attributes:
        level: crops that its training saw, or the number of its dataset.
        figure: its primary metric.
        rank: among the entries at this level; None if it has none.
        seconds: environment's digest -> training time of one seed.
    """

    level: float
    figure: Figure
    rank: int | None
    seconds: dict[str, float]


@dataclass(frozen=True)
class CurveLine:
    """An entry over its levels, the smallest first; a baseline is the same at each budget."""

    entry: str
    is_baseline: bool
    points: tuple[CurvePoint, ...]

    @cached_property
    def at(self) -> dict[float, CurvePoint]:
        """Its points by their levels."""
        return {point.level: point for point in self.points}


@dataclass(frozen=True)
class Crossing:
    """Two entries that change places from one level to the next that both have.

    Attributes:
        leader, follower: the better one before, and the better one after.
        before, after: the levels.
        is_told_before: True if the leader is significantly better at some level of its lead that
            ends here.
        is_told_after: the same of the follower's lead that begins here.
    """

    leader: str
    follower: str
    before: float
    after: float
    is_told_before: bool
    is_told_after: bool


@dataclass(frozen=True, eq=False)
class TablesCurve:
    """Tables that differ in one number, read as curves over it.

    Attributes:
        tables: with the smallest number first.
        levels: the number of each table.
        axis: what the number is: `BUDGET`, or the name of a number of datasets.
    """

    tables: tuple[Table, ...]
    levels: tuple[float, ...]
    axis: str = BUDGET

    @property
    def endpoint(self) -> Table:
        """The table of the largest number."""
        return self.tables[-1]

    @property
    def is_over_datasets(self) -> bool:
        """True if its tables are of several datasets."""
        return self.axis != BUDGET

    @cached_property
    def host(self) -> Table:
        """The table that a page shows first of these: the curve stands above it."""
        return min(self.tables, key=page_place)

    @property
    def rules(self) -> tuple[object, ...]:
        """The key that identifies it."""
        if self.is_over_datasets:
            return (self.axis, *table_key(self.endpoint)[:3])
        return self.endpoint.rules

    @property
    def facts(self) -> MetricFacts:
        """The facts of the primary metric."""
        return self.endpoint.facts[self.endpoint.protocol.primary]

    @cached_property
    def lines(self) -> tuple[CurveLine, ...]:
        """Every entry that has a place among the others, the best at its largest level first."""
        points: dict[str, list[CurvePoint]] = {}
        baselines: set[str] = set()
        for level, table in zip(self.levels, self.tables, strict=True):
            names = curve_names(table)
            for row, rank in zip(table.rows, table.ranking.ranks, strict=True):
                figure = row.figure(table.protocol.primary)
                if figure is None or not row.is_compared:
                    continue
                name = names[row]
                points.setdefault(name, []).append(_point(level, row, figure, rank))
                if row.first.is_baseline:
                    baselines.add(name)
        lines = [CurveLine(name, name in baselines, tuple(held)) for name, held in points.items()]
        return tuple(sorted(lines, key=lambda e: (self._lack(e.points[-1]), e.entry)))

    @cached_property
    def p_values(self) -> dict[float, dict[frozenset[str], float]]:
        """Level -> two entries -> p of their difference, Holm-corrected within the level."""
        found = {}
        for level, table in zip(self.levels, self.tables, strict=True):
            names = curve_names(table)
            found[level] = {
                frozenset(names[row] for row in pair): p
                for pair, p in pair_p_values(table.rows, table.ranking, table.protocol).items()
            }
        return found

    def is_told(self, level: float, first: str, second: str) -> bool:
        """Check if two entries differ significantly at a level."""
        return self.p_values[level].get(frozenset((first, second)), 1.0) < ALPHA

    def first(self, level: float) -> str | None:
        """Return the entry with the best figure at a level; None if there is none."""
        return next((name for name, _ in self._in_order(level)), None)

    def best(self, level: float) -> list[str]:
        """Return the entries that no other is significantly better than, the best first.

        Of a table without ranks they are empty.
        """
        return [name for name, point in self._in_order(level) if point.rank == 1]

    def _in_order(self, level: float) -> list[tuple[str, CurvePoint]]:
        """Return the entries of a level with their points, the best figure first."""
        held = [(line.entry, line.at[level]) for line in self.lines if level in line.at]
        return sorted(held, key=lambda each: (self._lack(each[1]), each[0]))

    def _lack(self, point: CurvePoint) -> float:
        """Return the figure of a point, so turned that less is better."""
        return -point.figure.value if self.facts.higher_is_better else point.figure.value

    @cached_property
    def crossings(self) -> tuple[Crossing, ...]:
        """Every place where two curves cross, by the level after it."""
        found = [
            each
            for first, second in combinations(self.lines, 2)
            for each in self._crossings_of(first, second)
        ]
        return tuple(sorted(found, key=lambda each: (each.after, each.follower, each.leader)))

    def _crossings_of(self, first: CurveLine, second: CurveLine) -> Iterator[Crossing]:
        shared = [level for level in self.levels if level in first.at and level in second.at]
        gaps = [(at, self._lack(second.at[at]) - self._lack(first.at[at])) for at in shared]
        leads = [(level, gap > 0) for level, gap in gaps if gap]
        for place, ((before, ahead), (after, later)) in enumerate(pairwise(leads)):
            if ahead == later:
                continue
            names = (first.entry, second.entry) if ahead else (second.entry, first.entry)
            run_before = _run(list(reversed(leads[: place + 1])))
            run_after = _run(leads[place + 1 :])
            yield Crossing(
                *names,
                before,
                after,
                any(self.is_told(level, *names) for level in run_before),
                any(self.is_told(level, *names) for level in run_after),
            )


def curve_names(table: Table) -> dict[Row, str]:
    """Return entries' names that hold at every level, without what sets a table's own apart."""
    counts = Counter(row.name for row in table.rows)
    return {
        row: row.name if counts[row.name] == 1 else label
        for row, label in zip(table.rows, table.labels, strict=True)
    }


def _point(level: float, row: Row, figure: Figure, rank: int | None) -> CurvePoint:
    seconds = {
        digest: costs["training_seconds"]
        for digest, costs in row.costs.items()
        if digest and costs.get("training_seconds") is not None
    }
    return CurvePoint(level, figure, rank, seconds)


def _run(leads: Sequence[tuple[float, bool]]) -> list[float]:
    """Return the levels of the first lead, as far as it goes."""
    found = []
    for level, ahead in leads:
        if ahead != leads[0][1]:
            break
        found.append(level)
    return found
