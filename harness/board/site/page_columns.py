"""The columns of a table on a page, with intervals drawn as small pictures on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.board.record_paths import slug
from harness.board.standing.costs import environments
from harness.board.standing.figures import UNKNOWN, Figure, heading, plain, six_digits
from harness.board.standing.rows import Row, seed_text
from harness.board.standing.table import Table
from harness.board.writing.charts import LOG_ABOVE
from harness.board.writing.entry_grids import first_metrics, gpu_column, speed_columns
from harness.board.writing.grids import (
    NOT_PREDICTED,
    Cell,
    Column,
    TextPiece,
    cell,
    cost_columns,
    metric_cell,
    number_cell,
    size_columns,
    trust_cell,
)
from harness.records.record import MetricFacts

Compared = Literal["difference", "ratio", ""]

FIXED = ("rank", "entry")
"""Columns that are always there."""

COMPONENTS = ("track", "trust", "recipe", "model", "loss")

WIDTH = 96
"""Units that a picture is wide, between margins that hold half a mark."""


@dataclass(frozen=True)
class PageColumn(Column):
    """A column of a table on a page.

    Attributes:
        key: its name in links to a state of the page.
        higher_is_better: True if a first click sorts the highest to the top.
        compared: how two rows are compared.
        scale: factor of a difference as it is shown.
        decimals: of a difference.
        shown: True if it is there before anybody asks.
        about: the scale of its pictures.
    """

    key: str = ""
    higher_is_better: bool = False
    compared: Compared = ""
    scale: float = 1
    decimals: int = 0
    shown: bool = True
    about: str = ""


@dataclass(frozen=True)
class Whisker:
    """Places of the marks of one value, from 0 to WIDTH."""

    low: int
    value: int
    high: int
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class IntervalScale:
    """From the lowest to the highest end of a column's intervals."""

    low: float
    high: float

    @classmethod
    def over(cls, figures: Iterable[Figure]) -> IntervalScale | None:
        """Return the scale of some figures; None if none has an interval, or all ends are equal."""
        held = [(f.low, f.value, f.high) for f in figures]
        ends = [end for each in held if None not in each for end in each if end is not None]
        if not ends or min(ends) == max(ends):
            return None
        return cls(min(ends), max(ends))

    @property
    def log(self) -> bool:
        """True if values differ by so much that the scale is logarithmic."""
        return self.low > 0 and self.high > LOG_ABOVE * self.low

    def at(self, value: float) -> int:
        """Return the place of a value; one beyond an end lies on it."""
        inside = min(max(value, self.low), self.high)
        part = (inside - self.low) / (self.high - self.low)
        if self.log:
            low = math.log(self.low)  # a quotient of the ends may be beyond every float
            part = (math.log(inside) - low) / (math.log(self.high) - low)
        return round(part * WIDTH)

    def about(self, facts: MetricFacts) -> str:
        """Return the range of values that the pictures span."""
        kind = ", logarithmic" if self.log else ""
        return f"{facts.title} from {plain(self.low, facts)} to {plain(self.high, facts)}{kind}"

    def whisker(self, figure: Figure, seeds: Iterable[float]) -> Whisker | None:
        """Place a figure's interval, value and seeds; None if it has no interval."""
        if figure.low is None or figure.high is None:
            return None
        ends = self.at(figure.low), self.at(figure.value), self.at(figure.high)
        return Whisker(*ends, tuple(sorted({self.at(seed) for seed in seeds})))


def columns(table: Table) -> list[PageColumn]:
    """Return every column of a table: rank and entry first; without those that nobody fills."""
    where = list(environments(table.rows))
    measured = cost_columns(table.rows, where[0]) if len(where) == 1 else []
    ranks = tuple(number_cell(rank, str(rank)) for rank in table.ranking.ranks)
    shown = _shown(table)
    found = [
        PageColumn("rank", ranks, key="rank"),
        PageColumn("entry", tuple(map(cell, table.labels)), numeric=False, key="entry"),
        *(_metric_column(table, name, facts) for name, facts in table.facts.items()),
        _spread(table),
        _seeds(table.rows),
        page_column(gpu_column(table.rows), "ratio"),
        *(page_column(each, "ratio") for each in (*size_columns(table.rows), *measured)),
        *_components(table.rows),
    ]
    return [
        replace(each, shown=each.key in shown)
        for each in found
        if each.key in FIXED
        or any(cell.value is not None or cell.text == NOT_PREDICTED for cell in each.cells)
    ]


def _shown(table: Table) -> set[str]:
    """Return the keys of the columns that are there before anybody asks: those of a short table."""
    where = list(environments(table.rows))
    short = [gpu_column(table.rows)]
    short += speed_columns(table.rows, where[0]) if len(where) == 1 else []
    metrics = (f"m.{name}" for name in first_metrics(table))
    return {*FIXED, "seeds", "trust", *metrics, *(slug(column.title) for column in short)}


def page_column(column: Column, compared: Compared = "") -> PageColumn:
    """Return a column of a page of text as one of the site."""
    links = [replace(each, value=str(each)) if each.links else each for each in column.cells]
    cells = tuple(each if str(each) or column.numeric else Cell(UNKNOWN) for each in links)
    return PageColumn(
        column.title, cells, column.numeric, key=slug(column.title), compared=compared
    )


def _metric_column(table: Table, name: str, facts: MetricFacts) -> PageColumn:
    """Return a metric with its intervals; the primary one with its seeds too."""
    scale = IntervalScale.over(figure for row in table.rows if (figure := row.figure(name)))

    def metric(row: Row) -> Cell:
        figure = row.figure(name)
        shown = metric_cell(figure, facts, "–") if row.is_done else Cell("")
        if not figure or not scale:
            return shown
        held = [r.metrics[name].value for r in row.results if name in r.metrics]
        seeds = held if name == table.protocol.primary and len(held) > 1 else ()
        return replace(shown, note=shown.note.strip("()"), picture=scale.whisker(figure, seeds))

    return PageColumn(
        heading(facts),
        tuple(map(metric, table.rows)),
        key=f"m.{name}",
        higher_is_better=facts.higher_is_better,
        compared="difference",
        scale=100 if facts.unit == "%" else 1,
        decimals=facts.decimals,
        about=scale.about(facts) if scale else "",
    )


def _spread(table: Table) -> PageColumn:
    """Return the primary metric's standard deviation over seeds."""
    facts = table.facts[table.protocol.primary]
    figures = [row.figure(table.protocol.primary) for row in table.rows]
    spreads = [figure.spread if figure else None for figure in figures]
    cells = (
        Cell(UNKNOWN) if each is None else Cell(plain(each, facts), value=six_digits(each))
        for each in spreads
    )
    return PageColumn(f"sd of {facts.title} over seeds", tuple(cells), key="sd")


def _seeds(rows: Sequence[Row]) -> PageColumn:
    """Return seeds, each a link to its record, or to those of its folds."""
    cells = (
        Cell(
            "",
            "seed/fold" if any(filed.parts for filed in row.filed) else "",
            value=len(row.filed),
            links=tuple(_links(row))[1:],
        )
        for row in rows
    )
    return PageColumn("seeds (records)", tuple(cells), key="seeds")


def _links(row: Row) -> Iterable[TextPiece]:
    for filed in row.filed:
        seed = seed_text(filed.record.seed)
        for part in filed.files:
            fold = part.record.dataset.fold if filed.parts else None
            yield TextPiece(", ")
            yield TextPiece(f"{seed}/{fold.index}" if fold else seed, part.path)


def _components(rows: Sequence[Row]) -> list[PageColumn]:
    """Return the components of an entry, and its trust."""
    held = list(map(components, rows))
    return [
        PageColumn(
            key,
            tuple(map(trust_cell, rows))
            if key == "trust"
            else tuple(cell(each[key] or UNKNOWN) for each in held),
            numeric=False,
            key=key,
        )
        for key in COMPONENTS
    ]


def components(row: Row) -> dict[str, str | None]:
    """Return the components of an entry, and how it was made; None for one that it has not."""
    first, loss = row.first, row.first.loss
    trust = row.shown_trust if row.is_done else None
    names = (first.track, trust, first.recipe_name, first.model.name, loss.name if loss else None)
    return dict(zip(COMPONENTS, names, strict=True))
