"""What rows are called in a table, so that entries of one name can be told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from harness.board.standing.rows import Row
from harness.records.documents import digest
from harness.records.record import Record

DAGGER = "†"
"""Marks an entry of which items were left out."""

CLAIM = "‡"
"""Marks an entry whose figures were told, and not made here."""


def labels(rows: Sequence[Row]) -> list[str]:
    """Name each row; entries of one name also say in what they differ."""
    namesakes: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        namesakes[row.name].append(place)
    said = [""] * len(rows)
    for places in namesakes.values():
        for place, text in zip(places, _told_apart([rows[i] for i in places]), strict=True):
            said[place] = text
    return [f"{row.name}{text}{_mark(row)}" for row, text in zip(rows, said, strict=True)]


def _told_apart(rows: Sequence[Row]) -> list[str]:
    """In what each of some rows of one name differs from the others."""
    if len(rows) == 1:
        return [""]
    details = [_details(row.first) for row in rows]
    telling = _telling(details)
    told = [", ".join(own[i] for i in telling if own[i]) for own in details]
    return [f" [{text}]" if text else "" for text in told]


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
    return f" {DAGGER}" * row.damaged + f" {CLAIM}" * row.claimed
