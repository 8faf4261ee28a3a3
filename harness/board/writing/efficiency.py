"""Efficiency: the primary metric against each cost, and the entries that no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from harness.board.standing.costs import amount, environments, throughput_unit
from harness.board.standing.figures import Figure, heading, six_digits
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.writing.grids import ENTRY, Column, Grid, cell, cost_cell, metric_cell
from harness.records.costs import COSTS, CostFacts
from harness.records.record import MetricFacts

MARK = "●"


@dataclass(frozen=True)
class Point:
    """An entry in one trade-off: its cost in the record's unit, its primary metric."""

    entry: str
    cost: float
    figure: Figure
    front: bool


@dataclass(frozen=True)
class TradeOff:
    """The primary metric against one cost.

    Attributes:
        name: of the cost, as records and documents have it.
        facts: of the cost.
        items: noun of what entries embed, in the plural.
        points: in the order of the table.
        missing: the table's other entries, of which one of the two is not known.
    """

    name: str
    facts: CostFacts
    items: str
    points: tuple[Point, ...]
    missing: tuple[str, ...]

    @property
    def unit(self) -> str:
        """The unit that people read."""
        return self.facts.label(self.items)

    @property
    def heading(self) -> str:
        """Title, unit, and the better direction."""
        return f"{self.facts.title} ({self.unit}) {'↑' if self.facts.higher_is_better else '↓'}"


@dataclass(frozen=True)
class Efficiency:
    """The trade-offs of one environment (digest, name); each has two points or more."""

    environment: str
    name: str
    trade_offs: tuple[TradeOff, ...]

    @cached_property
    def entries(self) -> list[str]:
        """The entries that are in some trade-off."""
        return list(dict.fromkeys(p.entry for each in self.trade_offs for p in each.points))


@lru_cache(maxsize=2)
def efficiencies(table: Table) -> list[Efficiency]:
    """Return the trade-offs of each environment that has some.

    Costs of an environment that nobody recorded are not compared, as there may be several of them.
    """
    traded = [name for name, facts in COSTS.items() if "efficiency" in facts.places]
    found = [
        Efficiency(key, name, tuple(_trade_off(table, key, cost) for cost in traded))
        for key, name in environments(table.rows).items()
        if key
    ]
    kept = [
        Efficiency(
            each.environment, each.name, tuple(t for t in each.trade_offs if len(t.points) > 1)
        )
        for each in found
    ]
    return [each for each in kept if each.trade_offs]


def efficiency_grid(table: Table, efficiency: Efficiency) -> Grid:
    """Return the entries with their costs, each marked if no other entry beats it."""
    named = zip(table.rows, table.labels, strict=True)
    shown = {name: row for row, name in named if row.is_done and name in efficiency.entries}
    primary = table.protocol.primary
    facts = table.facts[primary]
    metric = (metric_cell(row.figure(primary), facts) for row in shown.values())
    columns = [
        Column(ENTRY, tuple(map(cell, shown)), numeric=False),
        Column(heading(facts), tuple(metric)),
        *(_column(each, list(shown)) for each in efficiency.trade_offs),
    ]
    where = f", on {efficiency.name}" if len(environments(table.rows)) > 1 else ""
    return Grid(tuple(columns), f"Efficiency: which entries no other beats{where}")


def _column(trade_off: TradeOff, entries: Sequence[str]) -> Column:
    points = {point.entry: point for point in trade_off.points}
    facts, cells = trade_off.facts, []
    for entry in entries:
        point = points.get(entry)
        mark = f"{MARK} " * bool(point and point.front)
        cells.append(cost_cell(point.cost if point else None, facts, mark=mark))
    return Column(trade_off.heading, tuple(cells))


def efficiency_notes(table: Table, efficiency: Efficiency) -> list[str]:
    """Explain the mark, and name the entries that are not there."""
    metric = table.facts[table.protocol.primary].title
    absent = [name for name in dict.fromkeys(table.labels) if name not in efficiency.entries]
    meaning = (
        f"{MARK}: no other entry here is at least as good in both {metric} and this cost, and "
        "better in one of them. The values are compared as they stand, so a mark says nothing "
        "about significance (ranks do), nor about the noise of a measured speed."
    )
    vouched = _vouched(table)
    if vouched and not vouched >= set(efficiency.entries):
        meaning += " Of rows that are rescored, nobody vouched for costs: they take no mark away."
    return [meaning, *([f"Without any of these costs: {'; '.join(absent)}."] if absent else [])]


def efficiency_document(table: Table) -> list[dict[str, Any]]:
    """Return every trade-off as plain JSON types; rates are fractions."""
    return [
        {
            "environment": efficiency.environment,
            "cost": each.name,
            "unit": each.facts.unit.replace("{items}", each.items),
            "higher_is_better": each.facts.higher_is_better,
            "points": [
                {
                    "entry": point.entry,
                    "cost": point.cost,
                    "value": point.figure.value,
                    "front": point.front,
                }
                for point in each.points
            ],
            "missing": list(each.missing),
        }
        for efficiency in efficiencies(table)
        for each in efficiency.trade_offs
    ]


def _trade_off(table: Table, environment: str, name: str) -> TradeOff:
    primary, cost = table.protocol.primary, COSTS[name]
    found = {
        label: (spent, figure)
        for row, label in zip(table.rows, table.labels, strict=True)
        if (spent := _own_cost(row, environment, name)) is not None
        and (figure := row.figure(primary))
    }
    facts = table.facts[primary]
    losses = {label: _losses(*each, cost, facts) for label, each in found.items()}
    marks = dict(zip(losses, front([*losses.values()]), strict=True))
    # What nobody vouched for takes no mark from what somebody did.
    vouched = {label: losses[label] for label in losses if label in _vouched(table)}
    marks |= zip(vouched, front([*vouched.values()]), strict=True)
    points = (Point(label, *found[label], mark) for label, mark in marks.items())
    missing = dict.fromkeys(label for label in table.labels if label not in found)
    return TradeOff(name, cost, throughput_unit(table.rows), tuple(points), tuple(missing))


def _own_cost(row: Row, environment: str, name: str) -> float | None:
    """Return a measured cost of a trained network; None if there is none, or only claims."""
    if not row.is_compared or row.first.is_baseline:
        return None
    value = row.costs.get(environment, {}).get(name)
    if value is None or getattr(value, "counted", "") == "predicted":
        return None
    return amount(value)


def _vouched(table: Table) -> set[str]:
    """Return the entries whose costs are not only as whoever brought the record says."""
    named = zip(table.rows, table.labels, strict=True)
    return {label for row, label in named if row.trust in ("measured", "reproduced")}


def _losses(
    spent: float, figure: Figure, cost: CostFacts, facts: MetricFacts
) -> tuple[float, float]:
    """Return both as published, so that a document gives the same front; less is better."""
    value = six_digits(figure.value) * (-1 if facts.higher_is_better else 1)
    return value, six_digits(spent) * (-1 if cost.higher_is_better else 1)


def front(points: Sequence[Sequence[float]]) -> tuple[bool, ...]:
    """Return True for each point that is on the Pareto front: no other point dominates it.

    A point dominates another if it is at least as good in everything and better in one. Equal
    points do not dominate each other, so all of them are on the front, or none is.

    Args:
        points: [points, criteria], less is better in each; finite.

    >>> front([(1, 3), (2, 2), (2, 3), (3, 1)])
    (True, True, False, True)
    """
    if not points:
        return ()
    # In this order a point is only beaten by an earlier one, and then by one of the front. Adding
    # 0 makes -0 the 0 that it is equal to.
    given = np.asarray(points, dtype=np.float64) + 0.0
    distinct, places = np.unique(given, axis=0, return_inverse=True)
    best = np.empty_like(distinct)
    marks, count = np.zeros(len(distinct), dtype=bool), 0
    for place, point in enumerate(distinct):
        marks[place] = not np.any(np.all(best[:count] <= point, axis=1))
        if marks[place]:
            best[count], count = point, count + 1
    return tuple(marks[places.reshape(-1)].tolist())
