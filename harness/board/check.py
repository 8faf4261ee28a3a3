"""Whether published files are exactly what their records give."""

from __future__ import annotations

from collections.abc import Set
from itertools import zip_longest
from pathlib import Path
from typing import Any

from harness.board.names import record_path, scores_path
from harness.board.plots import holds_plot
from harness.board.published import read_published, record_files, render
from harness.errors import RequestError
from harness.records.canonical import sha256_file
from harness.records.record import Artefact, Record
from harness.records.store import read_record

SCORES_LIMIT = 1_000_000
"""Scores of at most so many bytes are published beside their record."""


def check(folder: Path) -> list[str]:
    """Name every difference between the published files and what the records give.

    A picture is compared by the data it carries, as its bytes depend on the libraries that draw.

    Returns:
        One line a difference; none where all is as it should be.
    """
    unreadable = [line for path in record_files(folder) for line in _unreadable(path)]
    if unreadable:
        return unreadable
    records = read_published(folder)
    files = render(records)
    differing = [
        line for name, text in sorted(files.texts.items()) for line in _file(folder / name, text)
    ]
    undrawn = [
        line for name, data in sorted(files.plots.items()) for line in _plot(folder, name, data)
    ]
    beside = [line for path, record in records.items() for line in _record(folder, path, record)]
    stale = _stale(folder, files.texts.keys() | files.plots.keys())
    return differing + undrawn + stale + beside + _orphans(folder, records)


def publishes_scores(record: Record) -> bool:
    """Whether the record's scores belong beside it: allowed, made, and small."""
    scores = record.artefacts.get("scores")
    return record.dataset.publish_scores and scores is not None and scores.bytes <= SCORES_LIMIT


def _unreadable(path: Path) -> list[str]:
    try:
        read_record(path)
    except RequestError as error:
        return [str(error)]
    return []


def _file(path: Path, wanted: str) -> list[str]:
    if not path.is_file():
        return [f"{path.name}: missing; `harness board build` writes it"]
    found = path.read_bytes()
    if found == wanted.encode():
        return []
    return [f"{path.name}: {_first_difference(found.decode(errors='replace'), wanted)}"]


def _plot(folder: Path, name: str, data: dict[str, Any]) -> list[str]:
    """What is wrong with a picture."""
    if holds_plot(folder / name, data):
        return []
    told = "other data than the records give" if (folder / name).is_file() else "missing"
    return [f"{name}: {told}; `harness board build` draws it"]


def _first_difference(found: str, wanted: str) -> str:
    lines = zip_longest(found.split("\n"), wanted.split("\n"))
    number, (here, there) = next(
        (number, pair) for number, pair in enumerate(lines, start=1) if pair[0] != pair[1]
    )
    return f"line {number} is {here!r}; the records give {there!r}"


def _stale(folder: Path, names: Set[str]) -> list[str]:
    ends = ("*.md", "*.json", "plots/**/*.svg")
    there = {path.relative_to(folder).as_posix() for end in ends for path in folder.glob(end)}
    return [f"{name}: stale, no record gives it; delete it" for name in sorted(there - names)]


def _record(folder: Path, path: str, record: Record) -> list[str]:
    place = record_path(record)
    moved = [f"{path}: what it says belongs at {place}"] if path != place else []
    return moved + _scores(folder / scores_path(path), scores_path(path), record)


def _scores(file: Path, name: str, record: Record) -> list[str]:
    """What is wrong with the scores beside a record."""
    allowed, named = publishes_scores(record), record.artefacts.get("scores")
    if not file.is_file():
        return [f"{name}: missing; its record is published with its scores"] if allowed else []
    if not record.dataset.publish_scores:
        return [f"{name}: scores on {record.dataset.name} may not be published; delete it"]
    return _content(file, name, named) if named else [f"{name}: its record names no scores"]


def _content(file: Path, name: str, named: Artefact) -> list[str]:
    found = sha256_file(file)
    if found == named.sha256:
        return []
    return [f"{name}: sha256 {found[:12]}, its record says {named.sha256[:12]}"]


def _orphans(folder: Path, records: dict[str, Record]) -> list[str]:
    known = {scores_path(path) for path in records}
    files = sorted((folder / "records").rglob("*.npz"))
    names = [path.relative_to(folder).as_posix() for path in files]
    return [f"{name}: stale, no record beside it; delete it" for name in names if name not in known]
