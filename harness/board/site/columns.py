"""The columns of a table on a page: what a cell shows, and the value by which it is sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from harness.board.names import slug
from harness.board.site.whiskers import Scale, Whisker, whisker
from harness.board.standing.environments import environments
from harness.board.standing.numbers import UNKNOWN, heading, plain
from harness.board.standing.rows import Figure, Row
from harness.board.standing.table import Table
from harness.board.writing import grid
from harness.board.writing.costcolumns import cost_columns, size_columns
from harness.board.writing.efficiency import six_digits
from harness.records.record import MetricFacts

Value = float | str | None
Compared = Literal["difference", "ratio", ""]

FIXED = ("rank", "entry")
"""Columns that are always there."""

_NUMBER = re.compile(r"^(?P<mark>\D*?)(?P<number>-?[\d,]*\.?\d+)(?P<note> .*)?$")


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table.

    Attributes:
        text: the value as people read it.
        note: what belongs to it: an interval, or how it was counted.
        value: by which it is sorted; None comes last whichever way.
        links: pieces with the files they lead to, in place of the text.
        bar: the value's interval as a picture.
    """

    text: str
    note: str = ""
    value: Value = None
    links: grid.Cell = ()
    bar: Whisker | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        key: its name in links to a state of the page.
        title: its head.
        cells: from top to bottom.
        numeric: whether values are numbers.
        higher_is_better: whether a first click sorts the highest to the top.
        compared: how two rows are set against each other.
        scale: by which a difference is multiplied to be shown.
        decimals: of a difference.
        shown: whether it is there before anybody asks.
        about: the scale of its bars.
    """

    key: str
    title: str
    cells: tuple[Cell, ...]
    numeric: bool = True
    higher_is_better: bool = False
    compared: Compared = ""
    scale: float = 1
    decimals: int = 0
    shown: bool = True
    about: str = ""


def columns(table: Table) -> list[Column]:
    """Every column of a table: rank and entry first; one that nobody fills is left away."""
    return table.once("columns of the site", partial(_columns, table))


def _columns(table: Table) -> list[Column]:
    where = list(environments(table.rows))
    measured = cost_columns(table.rows, where[0]) if len(where) == 1 else []
    names = tuple(Cell(name, value=name) for name in table.labels)
    found = [
        Column("rank", "rank", tuple(_number(rank) for rank in table.ranking.ranks)),
        Column("entry", "entry", names, numeric=False),
        *(_metric_column(table, name, facts) for name, facts in table.facts.items()),
        _spread(table),
        _seeds(table.rows),
        *(as_shown(each, "ratio") for each in (*size_columns(table.rows), *measured)),
        *_parts(table.rows),
    ]
    return [each for each in found if each.key in FIXED or _filled(each)]


def as_shown(column: grid.Column, compared: Compared = "") -> Column:
    """A column of a page of text; its numbers are sorted by what is shown of them."""
    read = _read if column.numeric else _text
    cells = tuple(_linked(each) or read("".join(p.text for p in each)) for each in column.cells)
    return Column(slug(column.title), column.title, cells, column.numeric, compared=compared)


def _metric_column(table: Table, name: str, facts: MetricFacts) -> Column:
    """A metric with its intervals; the primary one with its seeds too."""
    rows, primary = table.rows, name == table.protocol.primary
    figures = [row.figure(name) for row in rows]
    scale = Scale.over([figure for figure in figures if figure])
    seeds = [_each_seed(row, name) if primary else () for row in rows]
    cells = (
        _metric(row, figure, facts, whisker(scale, figure, each) if figure and scale else None)
        for row, figure, each in zip(rows, figures, seeds, strict=True)
    )
    return Column(
        f"m.{name}",
        heading(facts),
        tuple(cells),
        higher_is_better=facts.higher_is_better,
        compared="difference",
        scale=100 if facts.unit == "%" else 1,
        decimals=facts.decimals,
        about=scale.said(facts) if scale else "",
    )


def _metric(row: Row, figure: Figure | None, facts: MetricFacts, bar: Whisker | None) -> Cell:
    if figure is None:
        return Cell(UNKNOWN if row.done else "")
    note = ""
    if figure.low is not None and figure.high is not None:
        between = "–" if figure.low >= 0 else " to "
        note = f"{plain(figure.low, facts)}{between}{plain(figure.high, facts)}"
    return Cell(plain(figure.value, facts), note, six_digits(figure.value), bar=bar)


def _each_seed(row: Row, metric: str) -> tuple[float, ...]:
    found = [record.metrics[metric].value for record in row.results if metric in record.metrics]
    return tuple(found) if len(found) > 1 else ()


def _spread(table: Table) -> Column:
    """The primary metric's standard deviation over seeds."""
    facts = table.facts[table.protocol.primary]
    figures = [row.figure(table.protocol.primary) for row in table.rows]
    spreads = [figure.spread if figure else None for figure in figures]
    cells = (
        Cell(UNKNOWN) if each is None else Cell(plain(each, facts), value=six_digits(each))
        for each in spreads
    )
    return Column("sd", f"sd of {facts.title} over seeds", tuple(cells))


def _seeds(rows: Sequence[Row]) -> Column:
    """Seeds, each a link to its record, or to those of its folds."""
    cells = (
        Cell("", _folds(row), value=len(row.filed), links=tuple(_links(row))[1:]) for row in rows
    )
    return Column("seeds", "seeds (records)", tuple(cells))


def _links(row: Row) -> Iterable[grid.Piece]:
    for filed in row.filed:
        seed = "none" if filed.record.seed is None else str(filed.record.seed)
        for part in filed.files:
            fold = part.record.dataset.fold if filed.parts else None
            yield grid.Piece(", ")
            yield grid.Piece(f"{seed}/{fold.index}" if fold else seed, part.path)


def _folds(row: Row) -> str:
    return "seed/fold" if any(filed.parts for filed in row.filed) else ""


def _parts(rows: Sequence[Row]) -> list[Column]:
    """What an entry is made of; what its name tells already is there on demand."""
    first = [row.first for row in rows]
    read: dict[str, list[str | None]] = {
        "track": [record.track for record in first],
        "trust": [row.trust if row.done else None for row in rows],
        "recipe": [record.recipe_name for record in first],
        "model": [record.model.name for record in first],
        "loss": [record.loss.name if record.loss else None for record in first],
    }
    return [
        Column(
            key,
            key,
            tuple(map(_text, names)),
            numeric=False,
            shown=key in ("track", "trust"),
        )
        for key, names in read.items()
    ]


def _number(value: int | None) -> Cell:
    return Cell(UNKNOWN) if value is None else Cell(str(value), value=value)


def _read(text: str) -> Cell:
    """A number as it is written, with what stands behind it."""
    found = _NUMBER.match(text)
    if not found:
        return Cell(text)
    value = float(found["number"].replace(",", ""))
    return Cell(found["mark"] + found["number"], (found["note"] or "").strip(), value)


def _linked(cell: grid.Cell) -> Cell | None:
    """A cell of links, sorted by its text; None for one without."""
    if not any(piece.link for piece in cell):
        return None
    return Cell("", value="".join(piece.text for piece in cell), links=cell)


def _text(name: str | None) -> Cell:
    return Cell(name, value=name) if name and name != UNKNOWN else Cell(UNKNOWN)


def _filled(column: Column) -> bool:
    return any(each.value is not None for each in column.cells)
