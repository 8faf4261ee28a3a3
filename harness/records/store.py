"""Reading and writing records as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import RequestError
from harness.records.canonical import readable_json
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
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Record.model_validate(updated(document, str(path)))
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: not JSON ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RequestError(f"{path}: not a record: {where}: {first['msg']}") from error


def find_records(folder: Path) -> list[Record]:
    """Every `record.json` below a folder, in the order of their paths."""
    return [read_record(path) for path in sorted(folder.rglob("record.json"))]
