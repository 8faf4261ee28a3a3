"""Which columns a table has, and what stands in them."""

from __future__ import annotations

from harness.board.standing.environments import environments
from harness.board.standing.numbers import UNKNOWN, heading, plain, with_interval
from harness.board.standing.rows import Filed, Row
from harness.board.standing.table import Table
from harness.board.writing.costcolumns import cost_columns, size_columns
from harness.board.writing.grid import Cell, Column, Grid, Piece, cell
from harness.records.record import MetricFacts

ENTRY = "entry (model + loss)"
"""The head of the column of names."""


def main_grid(table: Table) -> Grid:
    """The entries with their metrics; with their costs too where one environment made them all."""
    where = list(environments(table.rows))
    measured = cost_columns(table.rows, where[0]) if len(where) == 1 else []
    columns = [
        Column("rank", tuple(cell(_rank(rank)) for rank in table.ranking.ranks)),
        entry_column(table),
        *(_metric(table, name, facts) for name, facts in table.facts.items()),
        Column("seeds", tuple(_seeds(table, row) for row in table.rows), numeric=False),
        *size_columns(table.rows),
        *measured,
        Column("track", tuple(cell(row.first.track) for row in table.rows), numeric=False),
        Column("trust", tuple(cell(_trust(row)) for row in table.rows), numeric=False),
    ]
    return Grid(tuple(columns))


def cost_grids(table: Table) -> list[Grid]:
    """One grid of costs for each environment; none where the main grid holds them."""
    where = environments(table.rows)
    return [_cost_grid(table, *item) for item in where.items()] if len(where) > 1 else []


def entry_column(table: Table) -> Column:
    """The entries' names."""
    names = tuple(cell(name) for name in table.labels)
    return Column(ENTRY, names, numeric=False)


def metric_text(row: Row, name: str, facts: MetricFacts, primary: str) -> str:
    """A metric's cell; of a row that is not done, the primary's says why."""
    if row.done:
        return with_interval(row.figure(name), facts)
    return failure(row) if name == primary else ""


def failure(row: Row) -> str:
    """Why a row has no result."""
    state, reason = row.state, row.first.reason
    return f"{state}: {reason}" if reason else state


def _cost_grid(table: Table, digest: str, name: str) -> Grid:
    names = entry_column(table).cells
    here = [any(r.environment_digest == digest for r in row.records) for row in table.rows]
    shown = [i for i, row in enumerate(table.rows) if row.done and here[i]]
    entries = Column(ENTRY, tuple(names[i] for i in shown), numeric=False)
    rows = tuple(table.rows[i] for i in shown)
    return Grid((entries, *cost_columns(rows, digest)), f"Speed and memory on {name}")


def _metric(table: Table, name: str, facts: MetricFacts) -> Column:
    primary = table.protocol.primary
    texts = (metric_text(row, name, facts, primary) for row in table.rows)
    return Column(heading(facts), tuple(cell(text) for text in texts))


def _seeds(table: Table, row: Row) -> Cell:
    """Seeds, each linked to its record; then the primary metric's spread over them."""
    separated = [part for each in row.filed for part in (Piece(", "), *_seed(each))][1:]
    figure = row.figure(table.protocol.primary)
    if figure and figure.spread is not None:
        facts = table.facts[table.protocol.primary]
        separated.append(Piece(f"; sd {plain(figure.spread, facts)}"))
    return tuple(separated)


def _seed(filed: Filed) -> list[Piece]:
    """A seed linked to its record, or to those of its folds."""
    seed = filed.record.seed
    name = "none" if seed is None else str(seed)
    if not filed.parts:
        return [Piece(name, filed.path)]
    folds = [part for each in filed.parts for part in (Piece(", "), _fold(each))][1:]
    return [Piece(f"{name}: folds ("), *folds, Piece(")")]


def _fold(filed: Filed) -> Piece:
    fold = filed.record.dataset.fold
    return Piece(str(fold.index) if fold else "", filed.path)


def _rank(rank: int | None) -> str:
    return UNKNOWN if rank is None else str(rank)


def _trust(row: Row) -> str:
    return row.trust if row.done else UNKNOWN
