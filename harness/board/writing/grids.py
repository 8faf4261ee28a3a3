"""Grids: tables as columns of cells, before they become Markdown, a page or a terminal's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.board.standing.costs import (
    GIB,
    SHOWN,
    amounts,
    budgets,
    cost_of,
    cost_text,
    fit_of,
    inference_prediction,
    largest_training_batch,
    memory_prediction,
    throughput_unit,
)
from harness.board.standing.figures import (
    UNKNOWN,
    Figure,
    interval,
    plain,
    significant,
    six_digits,
)
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.records.costs import CostFacts
from harness.records.record import MetricFacts

NOT_PREDICTED = "not predicted"
"""Of a trained entry whose memory nobody predicted."""

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
    told = cell(row.shown_trust if row.is_done else UNKNOWN)
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
        for column in quantity_columns(facts, [cost_of(row.records, name) for row in rows])
    ]
    columns += [
        Column("predicted GPU memory of training (GiB)", _predicted(rows, memory_prediction, GIB)),
        Column(
            "predicted GPU memory of embedding (GiB)", _predicted(rows, inference_prediction, GIB)
        ),
        Column("predicted largest training batch", _predicted(rows, largest_training_batch)),
        Column(fit_title(rows, "recipe's batch"), tuple(map(_fit_cell, rows)), numeric=False),
    ]
    return [each for each in columns if any(cell.value is not None for cell in each.cells)]


def _predicted(
    rows: Sequence[Row], predict: Callable[[Row], int | None], scale: int = 1
) -> tuple[Cell, ...]:
    """Return a prediction's cells; a trained row without one says so."""
    cells = []
    for row in rows:
        value = predict(row)
        if value is None:
            cells.append(Cell(unpredicted(row)))
        elif scale == 1:
            cells.append(number_cell(value))
        else:
            cells.append(number_cell(value / scale, significant(value / scale)))
    return tuple(cells)


def unpredicted(row: Row) -> str:
    """Return what stands in place of a prediction: nothing is predicted of what trains nothing."""
    return NOT_PREDICTED if row.is_done and row.first.recipe is not None else UNKNOWN


def fit_title(rows: Sequence[Row], what: str) -> str:
    """Return the head of a column that says what fits the memory budget."""
    sizes = " or ".join(f"{significant(size / GIB)} GiB" for size in budgets(rows))
    return f"{what}, fits {sizes}" if sizes else what


def _fit_cell(row: Row) -> Cell:
    return cell(fit_of(row)) if fit_of(row) else Cell(unpredicted(row))


def cost_columns(rows: Sequence[Row], digest: str) -> list[Column]:
    """Return the costs of entries in one environment; a column that nobody fills is left out."""
    items = throughput_unit(rows)
    return [
        column
        for name, facts in SHOWN.items()
        if facts.per_environment
        for column in quantity_columns(
            facts, [row.costs.get(digest, {}).get(name) for row in rows], items
        )
    ]


def quantity_columns(facts: CostFacts, values: Sequence[Any], items: str = "") -> list[Column]:
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
