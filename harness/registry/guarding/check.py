"""Whether published files are exactly what their records give, and the records what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import zip_longest
from pathlib import Path
from typing import Any

from harness.board.companions import (
    SCORES_LIMIT,
    publishes_scores,
    unreadable_companions,
    wrong_companions,
)
from harness.board.publishing.published_tables import read_folder, render
from harness.board.record_paths import record_path
from harness.board.record_store import record_files
from harness.board.writing.charts import holds_plot
from harness.errors import RequestError
from harness.records.record import Record
from harness.records.record_files import read_record, usable_record
from harness.registry.guarding.consistency import contradictions, disagreements
from harness.registry.history.check import check_history
from harness.registry.history.line import FOLDER as HISTORY
from harness.registry.history.page import PAGE

__all__ = ["SCORES_LIMIT", "check", "publishes_scores"]

GIVEN = {"references.toml", ".gitattributes", ".gitignore"}
"""Files that people write, beside the records."""


LONGEST = 160
"""Characters of a line that a message tells."""


def check(folder: Path) -> list[str]:
    """Name every difference between the published files and what the records give.

    Records are held against themselves and each other, what lies beside them against them, and the
    history against what was written. A picture is compared by the data it carries, as its bytes
    depend on the libraries that draw. Numbers are held against their scores by `harness verify`.
    Where a record cannot be used, the published files are not compared; the other records are.

    Returns:
        One line a difference; none where all is as it should be.
    """
    readable, unreadable = _readable(folder)
    if unreadable:
        return [*unreadable, *_said(readable), *disagreements(readable), *check_history(folder)]
    records, beside = read_folder(folder)
    files = render(records, beside)
    differing = [
        line for name, text in sorted(files.texts.items()) for line in _file(folder, name, text)
    ]
    undrawn = [
        line for name, data in sorted(files.plots.items()) for line in _plot(folder, name, data)
    ]
    return [
        *differing,
        *undrawn,
        *_stale(folder, files.texts.keys() | files.plots.keys()),
        *_said(records),
        *disagreements(records),
        *wrong_companions(folder, records),
        *check_history(folder),
    ]


def _readable(folder: Path) -> tuple[dict[str, Record], list[str]]:
    """Return the usable records by their paths, and what keeps the other files from being read."""
    records, wrong = {}, []
    for path in record_files(folder):
        try:
            records[path.relative_to(folder).as_posix()] = usable_record(path, read_record(path))
        except RequestError as error:
            wrong += str(error).splitlines()
    return records, wrong + unreadable_companions(folder)


def _file(folder: Path, name: str, wanted: str) -> list[str]:
    if not (folder / name).is_file():
        return [f"{name}: missing; `harness board build` writes it"]
    found = (folder / name).read_bytes()
    if found == wanted.encode():
        return []
    return [f"{name}: {_first_difference(found.decode(errors='replace'), wanted)}"]


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
    pairs = enumerate(zip(here or "", there or "", strict=False))
    equal = next((place for place, (one, other) in pairs if one != other), 0)
    return f"line {number} is {_near(here, equal)}; the records give {_near(there, equal)}"


def _near(line: str | None, place: int) -> str:
    """A line as a message tells it; of a long one, what is near the place."""
    if line is None or len(line) <= LONGEST:
        return repr(line)
    start = max(0, place - LONGEST // 4)
    told = line[start : start + LONGEST]
    return f"{'...' if start else ''}{told!r}{'...' if start + LONGEST < len(line) else ''}"


def _stale(folder: Path, names: Set[str]) -> list[str]:
    """Files that nothing gives: neither records, nor a history, nor people."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    held = {name for name in there if _is_held(name)} | GIVEN
    given = names | ({PAGE} if any(name.endswith(".jsonl") for name in held) else set())
    return [
        f"{name}: stale, no record gives it; delete it" for name in sorted(there - held - given)
    ]


def _is_held(name: str) -> bool:
    """Whether a file is held by its own rule: a record, what lies beside one, or a history."""
    if name.startswith("records/"):
        return name.endswith((".json", ".npz"))
    return name.startswith(f"{HISTORY}/") and name.endswith(".jsonl")


def _said(records: Mapping[str, Record]) -> Iterator[str]:
    """Name what records say that cannot be, and places that are not their own."""
    for path, record in records.items():
        place = record_path(record)
        if path != place:
            yield f"{path}: what it says belongs at {place}"
        yield from (f"{path}: {line}" for line in contradictions(record))
