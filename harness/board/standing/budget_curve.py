"""A matched comparison over several budgets: each entry's primary metric against crops seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

from harness.board.standing.figures import Figure
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.standing.table_ranks import pair_p_values
from harness.records.record import MetricFacts

ALPHA = 0.05


@dataclass(frozen=True)
class CurvePoint:
    """An entry at one budget.

    Attributes:
        budget: crops that its training saw.
        figure: its primary metric.
        rank: among the entries at this budget; None if it has none.
        seconds: environment's digest -> training time of one seed.
    """

    budget: int
    figure: Figure
    rank: int | None
    seconds: dict[str, float]


@dataclass(frozen=True)
class CurveLine:
    """An entry over its budgets, the smallest first; a baseline is the same at each."""

    entry: str
    is_baseline: bool
    points: tuple[CurvePoint, ...]

    @cached_property
    def at(self) -> dict[int, CurvePoint]:
        """Its points by their budgets."""
        return {point.budget: point for point in self.points}


@dataclass(frozen=True)
class Crossing:
    """Two entries that change places from one budget to the next that both have.

    Attributes:
        leader, follower: the better one before, and the better one after.
        before, after: the budgets.
        is_told_before: True if the leader is significantly better at some budget of its lead that
            ends here.
        is_told_after: the same of the follower's lead that begins here.
    """

    leader: str
    follower: str
    before: int
    after: int
    is_told_before: bool
    is_told_after: bool


@dataclass(frozen=True, eq=False)
class BudgetCurve:
    """The tables of one comparison at several budgets, the smallest first, read as curves."""

    tables: tuple[Table, ...]

    @property
    def endpoint(self) -> Table:
        """The table of the largest budget."""
        return self.tables[-1]

    @property
    def budgets(self) -> tuple[int, ...]:
        """The budgets, the smallest first."""
        return self.endpoint.budgets

    @property
    def facts(self) -> MetricFacts:
        """The facts of the primary metric."""
        return self.endpoint.facts[self.endpoint.protocol.primary]

    @cached_property
    def lines(self) -> tuple[CurveLine, ...]:
        """Every entry that has a place among the others, the best at its largest budget first."""
        points: dict[str, list[CurvePoint]] = {}
        baselines: set[str] = set()
        for table in self.tables:
            names = curve_names(table)
            for row, rank in zip(table.rows, table.ranking.ranks, strict=True):
                figure = row.figure(table.protocol.primary)
                if figure is None or not row.is_compared:
                    continue
                name = names[row]
                points.setdefault(name, []).append(_point(table, row, figure, rank))
                if row.first.is_baseline:
                    baselines.add(name)
        lines = [CurveLine(name, name in baselines, tuple(held)) for name, held in points.items()]
        return tuple(sorted(lines, key=lambda e: (self._lack(e.points[-1]), e.entry)))

    @cached_property
    def p_values(self) -> dict[int, dict[frozenset[str], float]]:
        """Budget -> two entries -> p of their difference, Holm-corrected within the budget."""
        found = {}
        for table in self.tables:
            names = curve_names(table)
            found[table.budget or 0] = {
                frozenset(names[row] for row in pair): p
                for pair, p in pair_p_values(table.rows, table.ranking, table.protocol).items()
            }
        return found

    def is_told(self, budget: int, first: str, second: str) -> bool:
        """Check if two entries differ significantly at a budget."""
        return self.p_values[budget].get(frozenset((first, second)), 1.0) < ALPHA

    def first(self, budget: int) -> str | None:
        """Return the entry with the best figure at a budget; None if there is none."""
        return next((name for name, _ in self._in_order(budget)), None)

    def best(self, budget: int) -> list[str]:
        """Return the entries that no other is significantly better than, the best first.

        Of a table without ranks they are empty.
        """
        return [name for name, point in self._in_order(budget) if point.rank == 1]

    def _in_order(self, budget: int) -> list[tuple[str, CurvePoint]]:
        """Return the entries of a budget with their points, the best figure first."""
        held = [(line.entry, line.at[budget]) for line in self.lines if budget in line.at]
        return sorted(held, key=lambda each: (self._lack(each[1]), each[0]))

    def _lack(self, point: CurvePoint) -> float:
        """Return the figure of a point, so turned that less is better."""
        return -point.figure.value if self.facts.higher_is_better else point.figure.value

    @cached_property
    def crossings(self) -> tuple[Crossing, ...]:
        """Every place where two curves cross, by the budget after it."""
        found = [
            each
            for first, second in combinations(self.lines, 2)
            for each in self._crossings_of(first, second)
        ]
        return tuple(sorted(found, key=lambda each: (each.after, each.follower, each.leader)))

    def _crossings_of(self, first: CurveLine, second: CurveLine) -> Iterator[Crossing]:
        shared = [budget for budget in self.budgets if budget in first.at and budget in second.at]
        gaps = [(b, self._lack(second.at[b]) - self._lack(first.at[b])) for b in shared]
        leads = [(budget, gap > 0) for budget, gap in gaps if gap]
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
                any(self.is_told(budget, *names) for budget in run_before),
                any(self.is_told(budget, *names) for budget in run_after),
            )


def curves_of(tables: Sequence[Table]) -> list[BudgetCurve]:
    """Return the curves of some tables: one for each table of a largest of several budgets."""
    return [
        BudgetCurve(tuple(sorted(_points(end, tables), key=lambda table: table.budget or 0)))
        for end in tables
        if end.is_endpoint
    ]


def _points(end: Table, tables: Sequence[Table]) -> Iterator[Table]:
    """Return the tables that differ from an endpoint in the budget alone."""
    return (each for each in tables if each.is_point and each.rules == end.rules)


def curve_names(table: Table) -> dict[Row, str]:
    """Return entries' names that hold at every budget, without what sets a table's own apart."""
    counts = Counter(row.name for row in table.rows)
    return {
        row: row.name if counts[row.name] == 1 else label
        for row, label in zip(table.rows, table.labels, strict=True)
    }


def _point(table: Table, row: Row, figure: Figure, rank: int | None) -> CurvePoint:
    seconds = {
        digest: costs["training_seconds"]
        for digest, costs in row.costs.items()
        if digest and costs.get("training_seconds") is not None
    }
    return CurvePoint(table.budget or 0, figure, rank, seconds)


def _run(leads: Sequence[tuple[int, bool]]) -> list[int]:
    """Return the budgets of the first lead, as far as it goes."""
    found = []
    for budget, ahead in leads:
        if ahead != leads[0][1]:
            break
        found.append(budget)
    return found
