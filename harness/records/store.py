"""Reading and writing records as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.records.canonical import readable_json
from harness.records.documents import read_document
from harness.records.files import write_text
from harness.records.record import Record
from harness.records.updates import updated


def to_document(record: Record) -> dict[str, Any]:
    """The record as plain JSON types, its schema number under `schema`."""
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
    return read_document(path, Record, "a record", updated)


def find_records(folder: Path) -> list[Record]:
    """Every `record.json` below a folder, in the order of their paths."""
    return [read_record(path) for path in sorted(folder.rglob("record.json"))]
