"""Which columns a table has, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.board.environments import Costs, costs, environments, mean_of
from harness.board.grid import Cell, Column, Grid, Piece, cell
from harness.board.labels import labels
from harness.board.numbers import UNKNOWN, heading, plain, significant, with_interval
from harness.board.rows import Filed, Row
from harness.board.table import Table
from harness.records.record import Memory, MetricFacts

GIB = 2**30

ENTRY = "entry (model + loss)"
"""The head of the column of names."""


def main_grid(table: Table) -> Grid:
    """The entries with their metrics; with their costs too where one environment made them all."""
    where = list(environments(table.rows))
    measured = _cost_columns(table.rows, where[0]) if len(where) == 1 else []
    columns = [
        Column("rank", tuple(cell(_rank(rank)) for rank in table.ranking.ranks)),
        entry_column(table),
        *(_metric(table, name, facts) for name, facts in table.facts.items()),
        Column("seeds", tuple(_seeds(table, row) for row in table.rows), numeric=False),
        *_sizes(table.rows),
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
    names = tuple(cell(name) for name in labels(table.rows))
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


def memory_text(memory: Memory | None) -> str:
    """A peak in GiB, and what was counted."""
    return f"{significant(memory.bytes / GIB)} {memory.counted}" if memory else UNKNOWN


def throughput_unit(rows: Sequence[Row]) -> str:
    """What is embedded, in the plural."""
    units = {record.resources.throughput_unit for row in rows for record in row.records}
    return " or ".join(sorted(units - {""})) or "items"


def _cost_grid(table: Table, digest: str, name: str) -> Grid:
    names = entry_column(table).cells
    here = [any(r.environment_digest == digest for r in row.records) for row in table.rows]
    shown = [i for i, row in enumerate(table.rows) if row.done and here[i]]
    entries = Column(ENTRY, tuple(names[i] for i in shown), numeric=False)
    rows = tuple(table.rows[i] for i in shown)
    return Grid((entries, *_cost_columns(rows, digest)), f"Speed and memory on {name}")


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


def _sizes(rows: tuple[Row, ...]) -> list[Column]:
    """What no environment changes: parameters and multiply-adds."""
    held = [[record.resources for record in row.records] for row in rows]
    parameters = [mean_of(row, lambda each: each.parameters) for row in held]
    macs = [mean_of(row, lambda each: each.macs) for row in held]
    return [
        Column("params (M)", tuple(cell(_scaled(value, 1e6)) for value in parameters)),
        Column("MACs (G)", tuple(cell(_scaled(value, 1e9)) for value in macs)),
    ]


def _cost_columns(rows: tuple[Row, ...], digest: str) -> list[Column]:
    """Costs of one environment; a column that nobody fills is left away."""
    held, unit = [costs(row, digest) for row in rows], throughput_unit(rows)
    written: dict[str, Callable[[Costs], str]] = {
        "peak training memory (GiB)": lambda each: memory_text(each.memory),
        "training (items/s)": lambda each: significant(each.training_per_second),
        f"embedding ({unit}/s)": lambda each: significant(each.inference_per_second),
        "latency p50 (ms)": lambda each: _scaled(each.latency_p50, 1e-3),
        "training time (min)": lambda each: _scaled(each.training_seconds, 60),
    }
    texts = {title: [write(each) for each in held] for title, write in written.items()}
    filled = {title: column for title, column in texts.items() if set(column) != {UNKNOWN}}
    return [Column(title, tuple(map(cell, column))) for title, column in filled.items()]


def _scaled(value: float | None, unit: float) -> str:
    return significant(None if value is None else value / unit)


def _rank(rank: int | None) -> str:
    return UNKNOWN if rank is None else str(rank)


def _trust(row: Row) -> str:
    return row.first.trust if row.done else UNKNOWN
