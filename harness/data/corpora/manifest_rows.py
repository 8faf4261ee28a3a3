"""The rows of a manifest, whether it is written as TSV, CSV or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from harness.data.names import strip_name
from harness.data.reading.json_lines import read_json_line
from harness.data.reading.lists import decoded
from harness.errors import DataError, nearest

Row = dict[str, Any]
"""Column -> text, and `line` -> the row's number; a further field of a CSV file is under None."""


def read_rows(path: Path, columns: Mapping[str, str], required: Collection[str]) -> list[Row]:
    """Read a manifest; `.csv` and `.jsonl` files are what they are called, all others TSV.

    Args:
        path: the manifest.
        columns: what is to be called otherwise than in the file: our name -> the file's, empty
            where the column is to be left away.
        required: columns that must be there, by our names.

    Raises:
        DataError: the file is absent, no UTF-8 text, unreadable in a line, or lacks a column.
    """
    theirs = [columns.get(name, name) for name in required]
    rows = _json_rows(path, theirs) if path.suffix == ".jsonl" else _table_rows(path, theirs)
    return [_renamed(row, columns) for row in rows] if columns else rows


def _renamed(row: Row, columns: Mapping[str, str]) -> Row:
    dropped = {*columns, *columns.values()}
    kept = {name: value for name, value in row.items() if name not in dropped}
    return kept | {ours: row.get(theirs, "") for ours, theirs in columns.items() if theirs}


def _table_rows(path: Path, required: Iterable[str]) -> list[Row]:
    comma = path.suffix == ".csv"
    reader: csv.DictReader[str] = csv.DictReader(
        StringIO(_text(path), newline=""),
        delimiter="," if comma else "\t",
        # In a TSV manifest a quote is part of the text.
        quoting=csv.QUOTE_MINIMAL if comma else csv.QUOTE_NONE,
        strict=comma,
    )
    form = f"{'comma' if comma else 'tab'}-separated, with a header line"
    try:
        reader.fieldnames = [strip_name(name) for name in reader.fieldnames or []]
        _check_header(reader.fieldnames, required, f"{path}: line 1", form)
        return [{**row, "line": reader.line_num} for row in reader]
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.reader.line_num}: {error}") from error


def _json_rows(path: Path, required: Iterable[str]) -> list[Row]:
    required = tuple(required)
    lines = enumerate(_text(path).split("\n"), start=1)
    return [_json_row(line, required, number, path) for number, line in lines if line.strip()]


def _json_row(line: str, required: Collection[str], number: int, path: Path) -> Row:
    where = f"{path}: line {number}"
    found = read_json_line(line, where)
    if not isinstance(found, dict):
        raise DataError(f"{where}: {found!r} is no JSON object; give one an utterance")
    _check_header(found, required, where, "one JSON object a line")
    return {**{name: _json_text(value) for name, value in found.items()}, "line": number}


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: no such manifest ({error.strerror})") from error
    return decoded(content, path)


def _check_header(header: Any, columns: Iterable[str], where: str, form: str) -> None:
    for column in columns:
        if column not in header:
            raise DataError(f"{where} has no column {column!r}; {nearest(column, header)} ({form})")
