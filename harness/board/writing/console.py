"""Tables for a terminal: the same rows, fewer columns, readable at 100."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, Group
from rich.table import Table as Lines
from rich.text import Text

from harness.board.standing.costs import GIB, environments
from harness.board.standing.figures import (
    UNKNOWN,
    heading,
    one_line,
    plain,
    significant,
    with_interval,
)
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.writing.captions import brief_footnotes, head, title
from harness.board.writing.grids import Grid, cost_grids, failure
from harness.board.writing.reference_tables import ELSEWHERE, reference_grid, reference_notes
from harness.board.writing.references import ReferenceGroup, References
from harness.records.record import MetricFacts


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
    why = [_text(line, "red") for line in _reasons(table)]
    notes = [_text(f"- {note}", "dim") for note in brief_footnotes(table)]
    speeds = [
        each for grid in cost_grids(table) for each in (_text(grid.title, "bold"), _grid(grid))
    ]
    others = [part for group in references for part in _reference_lines(group)]
    shown = [_lines(table), *speeds, *why, *notes, *others]
    return Group(_text(title(table), "bold"), *said, *shown, Text())


def _reference_lines(group: ReferenceGroup) -> Iterator[Text | Lines]:
    yield _text(f"{ELSEWHERE} ({group.title})", "dim bold")
    yield _grid(reference_grid(group))
    yield from (_text(f"- {note}", "dim") for note in reference_notes(group))


def _grid(grid: Grid) -> Lines:
    lines, style = _empty(), "dim" if grid.muted else ""
    for column in grid.columns:
        lines.add_column(_text(column.title, style), justify="right" if column.numeric else "left")
    for line in grid.lines:
        lines.add_row(*(_text(str(cell), style) for cell in line))
    return lines


def _empty() -> Lines:
    return Lines(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)


def _lines(table: Table) -> Lines:
    lines, where = _empty(), list(environments(table.rows))
    lines.add_column("rank", justify="right")
    lines.add_column("entry", overflow="fold")
    for facts in table.facts.values():
        lines.add_column(_text(heading(facts)), justify="right")
    for name in ("memory GiB", "train items/s") if len(where) == 1 else ():
        lines.add_column(name, justify="right")
    lines.add_column("state")
    for cells in _cells(table, where):
        lines.add_row(*(_text(each) for each in cells))
    return lines


def _cells(table: Table, where: Sequence[str]) -> Iterator[list[str]]:
    for row, name, rank in zip(table.rows, table.labels, table.ranking.ranks, strict=True):
        metrics = [_metric(row, each, facts, table) for each, facts in table.facts.items()]
        state = row.state
        yield [UNKNOWN if rank is None else str(rank), name, *metrics, *_costs(row, where), state]


def _metric(row: Row, name: str, facts: MetricFacts, table: Table) -> str:
    """Return the primary metric with its interval, the others without, to stay narrow."""
    figure = row.figure(name)
    if name == table.protocol.primary:
        return with_interval(figure, facts)
    return plain(figure.value, facts) if figure else UNKNOWN


def _costs(row: Row, where: Sequence[str]) -> list[str]:
    """Return memory and throughput of one environment; several may not share a table."""
    if len(where) != 1:
        return []
    if not row.done:
        return [UNKNOWN, UNKNOWN]
    spent = row.costs.get(where[0], {})
    memory = spent.get("training_memory")
    peak = f"{significant(memory.bytes / GIB)} {memory.counted}" if memory else UNKNOWN
    return [peak, significant(spent.get("training_per_second"))]


def _reasons(table: Table) -> list[str]:
    named = zip(table.rows, table.labels, strict=True)
    return [f"{name}, seed {r.first.seed}: {failure(r)}" for r, name in named if not r.done]


def _text(text: str, style: str = "") -> Text:
    """Return text as it is: names are data, and never markup."""
    return Text(one_line(text), style=style)
