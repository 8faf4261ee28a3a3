"""What a good figure costs: the entries of a table that no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from harness.board.standing.budget import GIB
from harness.board.standing.environments import costs, environments
from harness.board.standing.numbers import UNKNOWN, heading, significant, with_interval
from harness.board.standing.pareto import front
from harness.board.standing.rows import Figure, Row
from harness.board.standing.table import Table
from harness.board.writing.costcolumns import throughput_unit
from harness.board.writing.grid import Column, Grid, cell
from harness.board.writing.layout import ENTRY
from harness.records.record import MetricFacts

MARK = "●"


@dataclass(frozen=True)
class Cost:
    """A cost: how it is named, written and judged.

    Attributes:
        name: in the JSON document.
        title: of a column or an axis, without the unit.
        unit: of a value.
        shown: the unit on a page or in a picture.
        scale: how many of the former are one of the latter.
        more_is_better: as of speeds; less is better of the others.
    """

    name: str
    title: str
    unit: str
    shown: str
    scale: float
    more_is_better: bool

    @property
    def heading(self) -> str:
        """Title, unit, and which way is better."""
        return f"{self.title} ({self.shown}) {'↑' if self.more_is_better else '↓'}"


@dataclass(frozen=True)
class Point:
    """An entry in one trade-off: its cost in the cost's unit, its primary metric."""

    entry: str
    cost: float
    figure: Figure
    front: bool


@dataclass(frozen=True)
class TradeOff:
    """The primary metric against one cost.

    Attributes:
        points: in the order of the table.
        missing: the table's other entries, of which one of the two is not known.
    """

    cost: Cost
    points: tuple[Point, ...]
    missing: tuple[str, ...]


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


def efficiencies(table: Table) -> list[Efficiency]:
    """The trade-offs of each environment that has some.

    Costs whose environment nobody recorded are not compared, as there may be several behind them.
    """
    return table.once("efficiencies", partial(_efficiencies, table))


def _efficiencies(table: Table) -> list[Efficiency]:
    where = environments(table.rows)
    found = [Efficiency(key, name, _trade_offs(table, key)) for key, name in where.items() if key]
    return [each for each in found if each.trade_offs]


def efficiency_grid(table: Table, efficiency: Efficiency) -> Grid:
    """The entries with their costs, each marked where no other entry beats it."""
    named = zip(table.rows, table.labels, strict=True)
    shown = {name: row for row, name in named if row.done and name in efficiency.entries}
    primary = table.protocol.primary
    facts = table.facts[primary]
    metric = (cell(with_interval(row.figure(primary), facts)) for row in shown.values())
    columns = [
        Column(ENTRY, tuple(map(cell, shown)), numeric=False),
        Column(heading(facts), tuple(metric)),
        *(_column(each, list(shown)) for each in efficiency.trade_offs),
    ]
    where = f", on {efficiency.name}" if len(environments(table.rows)) > 1 else ""
    return Grid(tuple(columns), f"Efficiency: which entries no other beats{where}")


def efficiency_notes(table: Table, efficiency: Efficiency) -> list[str]:
    """What a mark means, what it does not, and who is not there."""
    metric = table.facts[table.protocol.primary].title
    absent = [name for name in dict.fromkeys(table.labels) if name not in efficiency.entries]
    meaning = (
        f"{MARK}: no other entry here is at least as good in both {metric} and this cost, and "
        "better in one of them. The values are compared as they stand, so a mark says nothing "
        "about significance (ranks do), nor about the noise of a measured speed."
    )
    return [meaning, *([f"Without any of these costs: {'; '.join(absent)}."] if absent else [])]


def efficiency_document(table: Table) -> list[dict[str, Any]]:
    """Every trade-off as plain JSON types; rates are fractions."""
    return [
        {"environment": efficiency.environment, **_document(each)}
        for efficiency in efficiencies(table)
        for each in efficiency.trade_offs
    ]


def six_digits(value: float) -> float:
    """A number as it is published: a platform's last bits are none of it; whole numbers stay."""
    return value if isinstance(value, int) else float(f"{value:.6g}")


def _trade_offs(table: Table, environment: str) -> tuple[TradeOff, ...]:
    found = [_trade_off(table, environment, cost) for cost in _costs(table.rows)]
    return tuple(each for each in found if len(each.points) > 1)


def _costs(rows: Sequence[Row]) -> tuple[Cost, ...]:
    """The costs that are traded; their names are those of a row's costs in the JSON document."""
    speed = f"{throughput_unit(rows)}/s"
    return (
        Cost("training_memory", "peak training memory", "bytes", "GiB", GIB, False),
        Cost("inference_per_second", "embedding", speed, speed, 1, True),
        Cost("latency_p50", "latency p50", "s", "ms", 1e-3, False),
    )


def _trade_off(table: Table, environment: str, cost: Cost) -> TradeOff:
    primary, names = table.protocol.primary, table.labels
    facts = table.facts[primary]
    found = {
        name: (spent, figure)
        for row, name in zip(table.rows, names, strict=True)
        if (spent := _spent(row, environment, cost)) is not None and (figure := row.figure(primary))
    }
    marks = front([_losses(spent, cost, figure, facts) for spent, figure in found.values()])
    points = (Point(name, *found[name], mark) for name, mark in zip(found, marks, strict=True))
    missing = dict.fromkeys(name for name in names if name not in found)
    return TradeOff(cost, tuple(points), tuple(missing))


def _spent(row: Row, environment: str, cost: Cost) -> float | None:
    """A measured cost of a trained network; None where there is none, or only claims."""
    if not row.compared or row.first.is_baseline:
        return None
    there = costs(row, environment)
    memory = there.memory if there.memory and there.memory.counted != "predicted" else None
    known = {
        "training_memory": memory.bytes if memory else None,
        "inference_per_second": there.inference_per_second,
        "latency_p50": there.latency_p50,
    }
    return known[cost.name]


def _losses(spent: float, cost: Cost, figure: Figure, facts: MetricFacts) -> tuple[float, float]:
    """Both as published, so that the front can be found again from the document; less is better."""
    value = six_digits(figure.value) * (-1 if facts.higher_is_better else 1)
    return value, six_digits(spent) * (-1 if cost.more_is_better else 1)


def _column(trade_off: TradeOff, entries: Sequence[str]) -> Column:
    points = {point.entry: point for point in trade_off.points}
    texts = (_text(points.get(entry), trade_off.cost) for entry in entries)
    return Column(trade_off.cost.heading, tuple(map(cell, texts)))


def _text(point: Point | None, cost: Cost) -> str:
    if point is None:
        return UNKNOWN
    return f"{MARK} " * point.front + significant(point.cost / cost.scale)


def _document(trade_off: TradeOff) -> dict[str, Any]:
    cost = trade_off.cost
    return {
        "cost": cost.name,
        "unit": cost.unit,
        "higher_is_better": cost.more_is_better,
        "points": [
            {
                "entry": each.entry,
                "cost": each.cost,
                "value": each.figure.value,
                "front": each.front,
            }
            for each in trade_off.points
        ],
        "missing": list(trade_off.missing),
    }
