"""The grids of a table's entries: the short one for everybody, and all else that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.board.standing.costs import (
    GIB,
    SHOWN,
    environments,
    fit_of,
    gpu_memory,
    memory_prediction,
    throughput_unit,
)
from harness.board.standing.figures import heading, plain, significant, six_digits
from harness.board.standing.rows import FiledRecord, Row, seed_text
from harness.board.standing.table import Table
from harness.board.writing.grids import (
    ENTRY,
    Cell,
    Column,
    Grid,
    TextPiece,
    cell,
    cost_columns,
    entry_column,
    failure,
    fit_title,
    metric_cell,
    number_cell,
    quantity_columns,
    size_columns,
    trust_cell,
    unpredicted,
)
from harness.records.record import MetricFacts

TRAINING_ACCURACY = "training_accuracy"
"""The metric that the training loop leaves, whatever the task."""


def short_grid(table: Table, link: str = "") -> Grid:
    """Return the eight columns at most that most readers ask for.

    Args:
        table: the table.
        link: where the names of the entries lead to; nowhere by default.
    """
    where = list(environments(table.rows))
    entries = entry_column(table)
    if link:
        linked = (replace(each, links=(TextPiece(each.text, link),)) for each in entries.cells)
        entries = replace(entries, cells=tuple(linked))
    columns = [
        Column("rank", tuple(number_cell(rank, str(rank)) for rank in table.ranking.ranks)),
        entries,
        *(_metric_column(table, name, table.facts[name]) for name in first_metrics(table)),
        *honest_columns(table),
        gpu_column(table.rows),
        *(speed_columns(table.rows, where[0]) if len(where) == 1 else []),
        Column("trust", tuple(map(trust_cell, table.rows)), numeric=False),
    ]
    return Grid(tuple(columns))


def honest_columns(table: Table) -> list[Column]:
    """Return the primary metric without the leak, and how far it lies off, of a leaky table."""
    honest, primary = table.honest, table.protocol.primary
    if honest is None:
        return []
    facts = table.facts[primary]
    theirs = {row.name: row.figure(primary) for row in honest.rows if row.is_done}
    pairs = [(row.figure(primary), theirs.get(row.name)) for row in table.rows]
    gaps = [
        None if leaky is None or held is None else leaky.value - held.value for leaky, held in pairs
    ]
    unit = "points" if facts.unit == "%" else facts.unit
    shown = [number_cell(gap, "" if gap is None else f"{plain(gap, facts)}") for gap in gaps]
    return [
        Column(
            f"{facts.title} without the leak", tuple(metric_cell(held, facts) for _, held in pairs)
        ),
        Column(f"difference ({unit})" if unit else "difference", tuple(shown)),
    ]


def first_metrics(table: Table) -> list[str]:
    """Return the primary metric, the next one, and how much was learnt of the training data."""
    names = list(table.facts)
    known = [TRAINING_ACCURACY] if TRAINING_ACCURACY in names[1:] else []
    others = [name for name in names[1:] if name not in known]
    return [names[0], *others[: 2 - len(known)], *known]


def full_grid(table: Table) -> Grid:
    """Return the entries with all else: the other metrics, seeds, and costs of one environment."""
    where = list(environments(table.rows))
    measured = cost_columns(table.rows, where[0]) if len(where) == 1 else []
    others = [name for name in table.facts if name not in first_metrics(table)]
    columns = [
        entry_column(table),
        *(_metric_column(table, name, table.facts[name]) for name in others),
        Column("seeds", tuple(_seeds(table, row) for row in table.rows), numeric=False),
        *size_columns(table.rows),
        *measured,
        Column("track", tuple(cell(row.first.track) for row in table.rows), numeric=False),
    ]
    return Grid(tuple(columns))


def cost_grids(table: Table) -> list[Grid]:
    """Return one grid of costs for each environment; none if the full grid holds them."""
    where = environments(table.rows)
    return [_cost_grid(table, *item) for item in where.items()] if len(where) > 1 else []


def _cost_grid(table: Table, digest: str, name: str) -> Grid:
    names = entry_column(table).cells
    shown = [i for i, row in enumerate(table.rows) if digest in row.costs]
    entries = Column(ENTRY, tuple(names[i] for i in shown), numeric=False)
    rows = tuple(table.rows[i] for i in shown)
    return Grid((entries, *cost_columns(rows, digest)), f"Speed and memory on {name}")


def gpu_column(rows: Sequence[Row]) -> Column:
    """Return the memory that training takes of a card, measured or predicted, and if it fits."""

    def taken(row: Row) -> Cell:
        measured, predicted = gpu_memory(row), memory_prediction(row)
        size = predicted if measured is None else measured
        if size is None:
            return Cell(unpredicted(row))
        note = ", ".join(filter(None, ("measured" * (measured is not None), fit_of(row))))
        return Cell(significant(size / GIB), note and f"({note})", six_digits(size / GIB))

    return Column(fit_title(rows, "GPU memory to train (GiB)"), tuple(map(taken, rows)))


def speed_columns(rows: Sequence[Row], digest: str) -> list[Column]:
    """Return how fast entries embed, in one environment; none if nobody knows."""
    values = [row.costs.get(digest, {}).get("inference_per_second") for row in rows]
    return quantity_columns(SHOWN["inference_per_second"], values, throughput_unit(rows))


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
