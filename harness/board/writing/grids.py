"""Grids: tables as columns of cells, before they become Markdown, a page or a terminal's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.board.standing.costs import (
    GIB,
    SHOWN,
    amounts,
    cost_of,
    cost_text,
    environments,
    largest_training_batch,
    memory_to_predict,
    throughput_unit,
)
from harness.board.standing.figures import (
    UNKNOWN,
    Figure,
    heading,
    interval,
    plain,
    significant,
    six_digits,
)
from harness.board.standing.rows import FiledRecord, Row, seed_text
from harness.board.standing.table import Table
from harness.records.record import CostFacts, MetricFacts

ENTRY = "entry (model + loss)"
"""The head of the column of names."""


@dataclass(frozen=True)
class TextPiece:
    """Text of a cell, with the path (or the https address) that it links to."""

    text: str
    link: str = ""


@dataclass(frozen=True)
class Cell:
    """One place of a table; iterating over it gives its pieces of text.

    Attributes:
        text: the value as people read it.
        note: what belongs to it: an interval, or how it was counted.
        value: the value itself, by which a page sorts; None comes last either way.
        links: pieces with the files they lead to, in place of the text.
        picture: the value's interval as a page draws it.
    """

    text: str
    note: str = ""
    value: float | str | None = None
    links: tuple[TextPiece, ...] = ()
    picture: Any = None

    def __iter__(self) -> Iterator[TextPiece]:
        """Return the pieces of text."""
        return iter(
            self.links or (TextPiece(f"{self.text} {self.note}" if self.note else self.text),)
        )

    def __str__(self) -> str:
        """Return the text without links."""
        return "".join(piece.text for piece in self)


@dataclass(frozen=True)
class Column:
    """One column: its head, its cells from top to bottom, and True if they are numbers."""

    title: str
    cells: tuple[Cell, ...]
    numeric: bool = True


@dataclass(frozen=True)
class Grid:
    """Columns of equal length under a title.

    Attributes:
        muted: shown as figures that were not measured here: in italics, greyed, dimmed.
    """

    columns: tuple[Column, ...]
    title: str = ""
    muted: bool = False

    @property
    def lines(self) -> list[list[Cell]]:
        """The cells line by line."""
        return [list(line) for line in zip(*(column.cells for column in self.columns), strict=True)]


def cell(text: str) -> Cell:
    """Return a cell of plain text."""
    return Cell(text, value=text if text not in ("", UNKNOWN) else None)


def trust_cell(row: Row) -> Cell:
    """Return the trust in a row's figures, with what is to be told beside it."""
    told = cell(row.trust if row.is_done else UNKNOWN)
    return replace(told, note=f"({row.flag})") if row.flag else told


def number_cell(value: float | None, text: str = "") -> Cell:
    """Return a cell of a number, written with thousands' commas unless a text is given."""
    return Cell(UNKNOWN) if value is None else Cell(text or f"{value:,}", value=value)


def metric_cell(figure: Figure | None, facts: MetricFacts, between: str = "-") -> Cell:
    """Return a metric's cell: the mean over seeds, its interval in brackets as the note."""
    if figure is None:
        return Cell(UNKNOWN)
    note = interval(figure, facts, between)
    value = six_digits(figure.value)
    return Cell(plain(figure.value, facts), f"({note})" if note else "", value)


def main_grid(table: Table) -> Grid:
    """Return the entries with their metrics, and their costs if one environment made them all."""
    where = list(environments(table.rows))
    measured = cost_columns(table.rows, where[0]) if len(where) == 1 else []
    columns = [
        Column("rank", tuple(number_cell(rank, str(rank)) for rank in table.ranking.ranks)),
        entry_column(table),
        *(_metric_column(table, name, facts) for name, facts in table.facts.items()),
        Column("seeds", tuple(_seeds(table, row) for row in table.rows), numeric=False),
        *size_columns(table.rows),
        *measured,
        Column("track", tuple(cell(row.first.track) for row in table.rows), numeric=False),
        Column("trust", tuple(map(trust_cell, table.rows)), numeric=False),
    ]
    return Grid(tuple(columns))


def cost_grids(table: Table) -> list[Grid]:
    """Return one grid of costs for each environment; none if the main grid holds them."""
    where = environments(table.rows)
    return [_cost_grid(table, *item) for item in where.items()] if len(where) > 1 else []


def _cost_grid(table: Table, digest: str, name: str) -> Grid:
    names = entry_column(table).cells
    shown = [i for i, row in enumerate(table.rows) if digest in row.costs]
    entries = Column(ENTRY, tuple(names[i] for i in shown), numeric=False)
    rows = tuple(table.rows[i] for i in shown)
    return Grid((entries, *cost_columns(rows, digest)), f"Speed and memory on {name}")


def entry_column(table: Table) -> Column:
    """Return the column of the entries' names."""
    return Column(ENTRY, tuple(map(cell, table.labels)), numeric=False)


def failure(row: Row) -> str:
    """Return why a row has no result."""
    state, reason = row.state, row.first.reason
    return f"{state}: {reason}" if reason else state


def size_columns(rows: Sequence[Row]) -> list[Column]:
    """Return what no environment changes, and what is predicted for the budget."""
    columns = [
        column
        for name, facts in SHOWN.items()
        if not facts.per_environment
        for column in _columns(facts, [cost_of(row.records, name) for row in rows])
    ]
    memory, largest = map(memory_to_predict, rows), map(largest_training_batch, rows)
    predictions = {
        "predicted GPU memory of training (GiB)": (
            number_cell(told and told / GIB, significant(told and told / GIB)) for told in memory
        ),
        "predicted largest training batch": map(number_cell, largest),
    }
    columns += [Column(title, tuple(cells)) for title, cells in predictions.items()]
    return [each for each in columns if any(cell.value is not None for cell in each.cells)]


def cost_columns(rows: Sequence[Row], digest: str) -> list[Column]:
    """Return the costs of entries in one environment; a column that nobody fills is left out."""
    items = throughput_unit(rows)
    return [
        column
        for name, facts in SHOWN.items()
        if facts.per_environment
        for column in _columns(facts, [row.costs.get(digest, {}).get(name) for row in rows], items)
    ]


def _columns(facts: CostFacts, values: Sequence[Any], items: str = "") -> list[Column]:
    """Return the columns of one quantity: mostly one, one for each length of latencies."""
    shown = [amounts(value, facts) for value in values]
    unit = facts.label(items)
    return [
        Column(
            f"{title} ({unit})" if unit else title,
            tuple(
                cost_cell(row[title].value, facts, row[title].note)
                if title in row
                else Cell(UNKNOWN)
                for row in shown
            ),
        )
        for title in dict.fromkeys(title for row in shown for title in row)
    ]


def first_cell(value: Any, facts: CostFacts) -> Cell:
    """Return a quantity's cell; of several amounts, the first one's."""
    shown = next(iter(amounts(value, facts).values()), None)
    return cost_cell(shown.value, facts, shown.note) if shown else Cell(UNKNOWN)


def cost_cell(value: float | None, facts: CostFacts, note: str = "", mark: str = "") -> Cell:
    """Return a cost's cell in the unit that people read."""
    if value is None:
        return Cell(UNKNOWN)
    return Cell(mark + cost_text(value, facts), note, six_digits(value / facts.scale))


def _metric_column(table: Table, name: str, facts: MetricFacts) -> Column:
    """Return a metric's column; of a row that is not done, the primary metric's cell says why."""
    reasons = name == table.protocol.primary
    cells = (
        metric_cell(row.figure(name), facts) if row.is_done else cell(failure(row) * reasons)
        for row in table.rows
    )
    return Column(heading(facts), tuple(cells))


def _seeds(table: Table, row: Row) -> Cell:
    """Return seeds, each linked to its record; then the primary metric's spread over them."""
    separated = [part for each in row.filed for part in (TextPiece(", "), *_seed(each))][1:]
    figure = row.figure(table.protocol.primary)
    if figure and figure.spread is not None:
        facts = table.facts[table.protocol.primary]
        separated.append(TextPiece(f"; sd {plain(figure.spread, facts)}"))
    return Cell("", links=tuple(separated))


def _seed(filed: FiledRecord) -> list[TextPiece]:
    """Return a seed linked to its record, or to those of its folds."""
    name = seed_text(filed.record.seed)
    if not filed.parts:
        return [TextPiece(name, filed.path)]
    folds = [(each.record.dataset.fold, each.path) for each in filed.parts]
    links = [TextPiece(str(fold.index) if fold else "", path) for fold, path in folds]
    separated = [part for link in links for part in (TextPiece(", "), link)][1:]
    return [TextPiece(f"{name}: folds ("), *separated, TextPiece(")")]
