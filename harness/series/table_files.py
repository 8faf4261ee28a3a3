"""Series in CSV and JSONL of any columns: one is the step, every other of numbers is a scalar."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.series.points import Points
from harness.series.series import Series

STEPS = ("step", "global_step", "iteration", "iter", "batch", "_step", "trainer/global_step")
EPOCHS = ("epoch", "epochs", "current_epoch")
SECONDS = ("seconds", "time", "wall_time", "elapsed", "_runtime", "relative time")


def read_csv(path: Path, text: str) -> Series:
    """Read a CSV or TSV file with a line of names.

    Raises:
        DataError: it has no column of numbers.
    """
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    points = Points(path)
    lines = text.lstrip("\ufeff").replace("\0", "").splitlines()
    try:
        rows = list(csv.DictReader(lines, delimiter=delimiter, restkey="", restval=""))
    except csv.Error as error:
        raise points.refuse(f"no CSV: {error}") from error
    return _collected(points, enumerate(rows, 2), "CSV")


def read_jsonl(path: Path, text: str) -> Series:
    """Read JSON lines; an object in an object gives names with a slash (`train` -> `train/loss`).

    Raises:
        DataError: a line but for the last is no JSON object, or none has numbers.
    """
    points, rows = Points(path), list[tuple[int, dict[str, Any]]]()
    *whole, last = text.split("\n")
    for number, line in enumerate([*whole, last] if last.endswith("}") else whole, 1):
        points.line = number
        if line.strip():
            rows.append((number, dict(_flat(points.parse(line)))))
    return _collected(points, rows, "JSONL")


def _flat(table: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterable[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and depth < 8:
            yield from _flat(value, f"{before}{key}/", depth + 1)
        else:
            yield f"{before}{key}", value


def _collected(
    points: Points, rows: Iterable[tuple[int, Mapping[str, Any]]], source: str
) -> Series:
    """Collect rows; where no column is a step, the epoch is, and where none is, the row's place."""
    rows = list(rows)
    columns = dict.fromkeys(str(name) for _, row in rows for name in row)
    step, epoch, spent = (_first(columns, names) for names in (STEPS, EPOCHS, SECONDS))
    for place, (number, row) in enumerate(rows, 1):
        points.line = number
        values = {name: value for name in columns if (value := _value(row.get(name))) is not None}
        where: object = values.pop(step, None) if step else None
        done = values.pop(epoch, math.nan) if epoch else math.nan
        if where is None and math.isfinite(done) and done == int(done):
            where = done
        seconds = values.pop(spent, math.nan) if spent else math.nan
        for name, value in values.items():
            points.add(name, place if where is None else where, value, done, seconds)
    return points.series(source)


def _first(columns: Iterable[str], names: tuple[str, ...]) -> str | None:
    plain = {column.strip().lower(): column for column in columns}
    return next((plain[name] for name in names if name in plain), None)


def _value(cell: object) -> float | None:
    """Return a cell's number; None if it is empty or text."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None
