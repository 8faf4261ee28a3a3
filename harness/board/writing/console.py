"""Tables for a terminal: the same rows, fewer columns, readable at 100."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich import box
from rich.console import Console, Group, JustifyMethod
from rich.table import Table as Lines
from rich.text import Text

from harness.board.standing.costs import environments
from harness.board.standing.figures import heading, one_line
from harness.board.standing.table import Table
from harness.board.writing.captions import brief_footnotes, head, title
from harness.board.writing.claims_text import TITLE as CLAIMS_TITLE
from harness.board.writing.claims_text import claim_sentences
from harness.board.writing.entry_grids import cost_grids, first_metrics
from harness.board.writing.grids import (
    Column,
    Grid,
    cell,
    entry_column,
    failure,
    first_cell,
    metric_cell,
    number_cell,
)
from harness.board.writing.recipe_claims_text import TITLE as RECIPES_TITLE
from harness.board.writing.recipe_claims_text import recipe_sentences
from harness.board.writing.reference_tables import ELSEWHERE, reference_grid, reference_notes
from harness.board.writing.references import ReferenceGroup, References
from harness.board.writing.summary import table_summary
from harness.records.costs import COSTS


def show(tables: Sequence[Table], console: Console, references: References | None = None) -> None:
    """Print tables with their heads, reasons of failed rows, and footnotes.

    Args:
        tables: the tables to print.
        console: the terminal.
        references: published figures of others, shown below tables of the same dataset.
    """
    for table in tables:
        console.print(renderable(table, references.beside(table) if references else ()))


def renderable(table: Table, references: Sequence[ReferenceGroup] = ()) -> Group:
    """Return one table for rich to print, published figures of others dimmed below it."""
    said = [_text(f"{label}: {text}", "dim") for label, text in head(table)]
    told = [_text(table_summary(table))] if table_summary(table) else []
    why = [_text(line, "red") for line in _reasons(table)]
    notes = [_text(f"- {note}", "dim") for note in brief_footnotes(table)]
    speeds = [
        each for grid in cost_grids(table) for each in (_text(grid.title, "bold"), _grid(grid))
    ]
    others = [part for group in references for part in _reference_lines(group)]
    if concluded := claim_sentences(table):
        others += [_text(CLAIMS_TITLE, "bold"), *(_text(f"- {line}") for line in concluded)]
    if learnt := recipe_sentences(table):
        others += [_text(RECIPES_TITLE, "bold"), *(_text(f"- {line}") for line in learnt)]
    shown = [_grid(_narrow_grid(table)), *speeds, *why, *notes, *others]
    return Group(_text(title(table), "bold"), *told, *said, *shown, Text())


def _reference_lines(group: ReferenceGroup) -> Iterator[Text | Lines]:
    yield _text(f"{ELSEWHERE} ({group.title})", "dim bold")
    yield _grid(reference_grid(group))
    yield from (_text(f"- {note}", "dim") for note in reference_notes(group))


def _grid(grid: Grid) -> Lines:
    style = "dim" if grid.muted else ""
    lines = Lines(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for column in grid.columns:
        justify: JustifyMethod = "right" if column.numeric else "left"
        lines.add_column(_text(column.title, style), justify=justify, overflow="fold")
    for line in grid.lines:
        lines.add_row(*(_text(str(cell), style) for cell in line))
    return lines


def _narrow_grid(table: Table) -> Grid:
    """Return the page's first grid, narrower: the primary metric alone has its interval."""
    where, facts = list(environments(table.rows)), table.facts
    primary = table.protocol.primary
    ranks = (number_cell(rank, str(rank)) for rank in table.ranking.ranks)
    columns = [Column("rank", tuple(ranks)), Column("entry", entry_column(table).cells, False)]
    for name in first_metrics(table):
        each = facts[name]
        cells = (metric_cell(row.figure(name), each) for row in table.rows)
        kept = (cell if name == primary else replace(cell, note="") for cell in cells)
        columns.append(Column(heading(each), tuple(kept)))
    if len(where) == 1:  # costs of several may not share a table
        spent = [row.costs.get(where[0], {}) for row in table.rows]
        for title, name in (
            ("memory GiB", "training_memory"),
            ("train items/s", "training_per_second"),
        ):
            found = (first_cell(each.get(name), COSTS[name]) for each in spent)
            columns.append(Column(title, tuple(found)))
    states = tuple(cell(row.state) for row in table.rows)
    return Grid((*columns, Column("state", states, numeric=False)))


def _reasons(table: Table) -> list[str]:
    named = zip(table.rows, table.labels, strict=True)
    return [f"{name}, seed {r.first.seed}: {failure(r)}" for r, name in named if not r.is_done]


def _text(text: str, style: str = "") -> Text:
    """Return text as it is: names are data, and never markup."""
    return Text(one_line(text), style=style)
