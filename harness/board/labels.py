"""What rows are called in a table, so that entries of one name can be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from harness.board.rows import Row
from harness.records.canonical import digest
from harness.records.record import Record

DAGGER = "†"


def labels(rows: Sequence[Row]) -> list[str]:
    """Name each row; entries of one name also say in what they differ."""
    return [_label(row, rows) for row in rows]


def _label(row: Row, rows: Sequence[Row]) -> str:
    namesakes = [_details(other.first) for other in rows if other.name == row.name]
    own = _details(row.first)
    said = ", ".join(own[i] for i in _telling(namesakes) if own[i])
    return row.name + (f" [{said}]" if said else "") + _mark(row)


def _telling(namesakes: list[tuple[str, ...]]) -> list[int]:
    """The first details that tell all of them apart, and no more than that."""
    places = range(len(namesakes[0]))
    differing = [i for i in places if len({details[i] for details in namesakes}) > 1]
    for count in range(len(differing)):
        told = {tuple(details[i] for i in differing[:count]) for details in namesakes}
        if len(told) == len(set(namesakes)):
            return differing[:count]
    return differing


def _details(record: Record) -> tuple[str, ...]:
    """What may differ between entries of one name; contents only where versions do not tell."""
    loss = record.loss
    versions = f"model v{record.model.version}" + (f", loss v{loss.version}" if loss else "")
    parts = [record.model, loss] if loss else [record.model]
    fields = [[part.adapter, part.fields] for part in parts]
    return (
        f"recipe {record.recipe_name}" if record.recipe_name else "",
        f"{record.track} track",
        record.trust,
        versions,
        f"fields {digest(fields)[:6]}",
        f"recipe content {digest(record.recipe)[:6]}" if record.recipe else "",
    )


def _mark(row: Row) -> str:
    return f" {DAGGER}" if any(record.dataset.left_out for record in row.records) else ""
