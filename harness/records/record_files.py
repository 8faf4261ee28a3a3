"""Files of records: written, read, brought up to date, checked for impossible numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import RequestError
from harness.records.documents import Document, leaves, read_document, readable_json
from harness.records.files import write_text
from harness.records.record import SCHEMA, Record

Possible = Callable[[float], bool]

LARGEST, SMALLEST = 1e18, 1e-18
"""Bounds of a number from which tables compute: its sums, squares and quotients are finite too."""

FINITE = f"a finite number of at most {LARGEST:g}"

RATE = "a rate, which is a fraction from 0 to 1"

COST = f"0, or {SMALLEST:g} or more"


def to_document(record: Record) -> dict[str, Any]:
    """Return the record as plain JSON types, its schema number under `schema`."""
    return record.model_dump(mode="json", by_alias=True)


def write_record(path: Path, record: Record) -> None:
    """Write a record atomically."""
    write_text(path, readable_json(to_document(record)))


def read_record(path: Path) -> Record:
    """Read a record; one of an older schema is brought up to date, its file stays as it is.

    Raises:
        RequestError: the file is absent, is not a record, or is of a schema this program does
            not know.
    """
    return read_document(path, Record, "a record", update_document)


def read_records(paths: Iterable[Path]) -> dict[Path, Record]:
    """Read records, each by its path, as `read_record` does."""
    return {path: read_record(path) for path in paths}


def update_document(document: Any, where: str) -> Document:
    """Return a record's document as the newest schema has it; the one given stays as it is.

    Args:
        document: what the file holds.
        where: the file, for errors.

    Raises:
        RequestError: it has no schema, or one that this program does not know.
    """
    schema = document.get("schema") if isinstance(document, dict) else None
    # The type is compared too: JSON's true equals 1 in Python, and so does 1.0.
    if type(schema) is not int or schema not in (*UPDATES, SCHEMA):
        raise RequestError(f"{where}: {_refusal(schema)}")
    for step in range(schema, SCHEMA):
        document = UPDATES[step](document)
    return dict(document)


def _refusal(schema: Any) -> str:
    if type(schema) is int and schema > SCHEMA:
        return (
            f"record schema {schema} is newer than this program, which reads up to {SCHEMA}; "
            "update the program"
        )
    return f"record schema {schema!r} is unknown; this program reads 1 to {SCHEMA}"


def _to_2(document: Document) -> Document:
    """Update to schema 2, which may hold a submission; no older record was submitted."""
    return {**document, "schema": 2}


UPDATES: Mapping[int, Callable[[Document], Document]] = {1: _to_2}
"""Schema -> function that updates a document to the next one."""


def impossible_numbers(record: Record) -> list[str]:
    """Name every number of a record from which no table can be made.

    A metric in percent is a rate. Values without each unit are named once a metric.

    Returns:
        One line a number: its place, its value and what it has to be. Empty for a sound record.
    """
    return [*_metrics(record), *_costs(record), *_contents(record)]


def usable_record(path: Path, record: Record) -> Record:
    """Return a record from whose numbers a table can be made.

    Raises:
        RequestError: it holds numbers that cannot be; all are named, with the file.
    """
    if wrong := impossible_numbers(record):
        raise RequestError("\n".join(f"{path}: {line}" for line in wrong))
    return record


def _metrics(record: Record) -> Iterator[str]:
    for name, metric in sorted(record.metrics.items()):
        possible, wanted = _value_test(record, name)
        for part in ("value", "low", "high"):
            value = getattr(metric, part)
            if value is not None and not possible(value):
                yield _line(f"metrics.{name}.{part}", value, wanted)
    for name, values in sorted(record.left_one_out.items()):
        possible, wanted = _value_test(record, name)
        if _are_possible(list(values.values()), possible):
            continue
        wrong = [unit for unit, value in values.items() if not possible(value)]
        if wrong:
            more = f" ({len(wrong)} of {len(values)} such values)" if len(wrong) > 1 else ""
            yield _line(f"left_one_out.{name}.{wrong[0]}", values[wrong[0]], wanted) + more


def _value_test(record: Record, name: str) -> tuple[Possible, str]:
    """Return the test of a metric's values, and its name."""
    facts, metric = record.protocol.facts.get(name), record.metrics.get(name)
    unit = facts.unit if facts else metric.unit if metric else ""
    return (_is_rate, RATE) if unit == "%" else (_is_finite, FINITE)


def _is_finite(value: float) -> bool:
    """Compare instead of converting: an integer of JSON may be too large for a float."""
    return abs(value) <= LARGEST


def _is_rate(value: float) -> bool:
    return 0 <= value <= 1


def _are_possible(values: list[float], possible: Possible) -> bool:
    """Test many values by their ends and their sum, which NaN is never lost from."""
    return not values or (
        _is_finite(sum(values)) and possible(min(values)) and possible(max(values))
    )


def _costs(record: Record) -> Iterator[str]:
    for place, value in _numbers("resources", record.resources.model_dump()):
        if not (_is_finite(value) and (value == 0 or value >= SMALLEST)):
            yield _line(place, value, COST if _is_finite(value) else FINITE)


def _contents(record: Record) -> Iterator[str]:
    """Name the numbers of the hashed parts that are not finite: JSON cannot spell them."""
    parts: dict[str, Any] = {
        "protocol.parameters": record.protocol.parameters,
        "model.fields": record.model.fields,
        "loss.fields": record.loss.fields if record.loss else {},
        "recipe": record.recipe or {},
        **{f"stages.{name}.inputs": stage.inputs for name, stage in record.stages.items()},
    }
    for part, content in parts.items():
        if not _has_spelling(content):
            for place, value in _numbers(part, content):
                if not _has_spelling(value):
                    yield _line(place, value, FINITE)


def _has_spelling(content: Any) -> bool:
    try:
        json.dumps(content, allow_nan=False)
    except ValueError:
        return False
    return True


def _numbers(place: str, content: Any) -> Iterator[tuple[str, float]]:
    """Yield every number below a place."""
    return (each for each in leaves(content, place) if isinstance(each[1], int | float))


def _line(place: str, value: float, wanted: str) -> str:
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{place} is {shown[:24]}, and has to be {wanted}"
