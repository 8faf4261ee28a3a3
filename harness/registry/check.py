"""Published files compared with what their records give, and the records with what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import zip_longest
from pathlib import Path
from typing import Any

from harness.board.companions import unreadable_companions, wrong_companions
from harness.board.publishing.published_tables import read_folder, render
from harness.board.record_paths import SERIES_ENDING, misplaced
from harness.board.record_store import record_files
from harness.board.writing.charts import wrong_plot
from harness.errors import RequestError, in_one_line
from harness.records.record import Record
from harness.records.record_files import read_record, usable_record
from harness.records.signature import SIGNERS
from harness.registry.consistency import contradictions, disagreements
from harness.registry.history.line import FOLDER as HISTORY
from harness.registry.history.night_board import FOLDER as NIGHTLY
from harness.registry.history.night_page import PAGE, check_history

GIVEN = {"references.toml", SIGNERS, ".gitattributes", ".gitignore"}
"""Files that people write, beside the records."""

UNSEEN = "its name holds characters that cannot be seen; rename it"

LONGEST = 160
"""Characters of a line that a message shows."""


def check(folder: Path) -> list[str]:
    """Name every difference between the published files and what the records give.

    Records are compared with themselves and each other, the files beside them with them, and the
    history with what was written. A picture is compared by the data it carries, as its bytes
    depend on the libraries that draw, and may hold nothing that no drawing of ours does. Numbers
    are compared with their scores by `harness verify`.
    If a record cannot be used, the published files are not compared; the other records are.

    Returns:
        One line a difference; none if all is as it should be.
    """
    return list(map(in_one_line, _differences(folder)))


def _differences(folder: Path) -> list[str]:
    readable, unreadable = _readable(folder)
    if unreadable:
        own = _own_contradictions(readable)
        return [*unreadable, *own, *disagreements(readable), *check_history(folder)]
    records, beside = read_folder(folder)
    files = render(records, beside)
    return [
        *(line for name, text in sorted(files.texts.items()) for line in _file(folder, name, text)),
        *(line for name, data in sorted(files.plots.items()) for line in _plot(folder, name, data)),
        *_stale(folder, files.texts.keys() | files.plots.keys()),
        *_own_contradictions(records),
        *disagreements(records),
        *wrong_companions(folder, records),
        *check_history(folder),
    ]


def _readable(folder: Path) -> tuple[dict[str, Record], list[str]]:
    """Return the usable records by their paths, and what keeps the other files from being read."""
    records, wrong = {}, []
    for path in record_files(folder):
        name = path.relative_to(folder).as_posix()
        if not name.isprintable():
            wrong.append(f"{name}: {UNSEEN}")
            continue
        try:
            records[name] = usable_record(path, read_record(path))
        except RequestError as error:
            wrong += str(error).splitlines()
    return records, wrong + unreadable_companions(folder)


def _own_contradictions(records: Mapping[str, Record]) -> Iterator[str]:
    """Name what records say that cannot be, and places that are not their own."""
    for path, record in records.items():
        said = [*misplaced(path, record), *contradictions(record)]
        yield from (f"{path}: {line}" for line in said)


def _file(folder: Path, name: str, wanted: str) -> Iterator[str]:
    if not (folder / name).is_file():
        yield f"{name}: missing; `harness board build` writes it"
    elif (found := (folder / name).read_bytes()) != wanted.encode():
        said = _first_difference(found.decode(errors="replace"), wanted)
        yield f"{name}: {said}; restore a record that was edited, else `harness board build`"


def _plot(folder: Path, name: str, data: dict[str, Any]) -> Iterator[str]:
    if reason := wrong_plot(folder / name, data):
        yield f"{name}: {reason}; `harness board build` draws it"


def _first_difference(found: str, wanted: str) -> str:
    lines = zip_longest(found.split("\n"), wanted.split("\n"))
    number, (here, there) = next(
        (number, pair) for number, pair in enumerate(lines, start=1) if pair[0] != pair[1]
    )
    pairs = enumerate(zip(here or "", there or "", strict=False))
    equal = next((place for place, (one, other) in pairs if one != other), 0)
    return f"line {number} is {_near(here, equal)}; the records give {_near(there, equal)}"


def _near(line: str | None, place: int) -> str:
    """Return a line for a message; of a long one, the part near a place."""
    if line is None or len(line) <= LONGEST:
        return repr(line)
    start = max(0, place - LONGEST // 4)
    shown = line[start : start + LONGEST]
    return f"{'...' if start else ''}{shown!r}{'...' if start + LONGEST < len(line) else ''}"


def _stale(folder: Path, names: Set[str]) -> list[str]:
    """Name files that nothing gives: neither records, nor a history, nor people."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    history = {name for name in there if name.startswith(f"{HISTORY}/") and name.endswith(".jsonl")}
    # These are checked by rules of their own.
    endings = (".json", ".npz", ".sig", SERIES_ENDING)
    held = {name for name in there if name.startswith("records/") and name.endswith(endings)}
    stale = there - held - history - GIVEN - names - ({PAGE} if history else set())
    links = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink())
    return [
        *(f"{name}: {_why_stale(name)}" for name in sorted(stale)),
        # One to a folder is no file, and one to a file may lead to another content tomorrow.
        *(f"{name}: a link; put the file itself there" for name in sorted(links)),
    ]


def _why_stale(name: str) -> str:
    """Say why a file may not be there."""
    if name.startswith(f"{NIGHTLY}/"):
        return "the page of a night, which no published record gives; its branch alone holds it"
    return "stale, no record gives it; delete it"
