"""A history's files: lines are added and never changed, each holding the hash of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.errors import RequestError
from harness.records.documents import canonical_json, sha256
from harness.records.files import lock, write_text
from harness.records.record_files import read_record
from harness.registry.history.line import FOLDER, HistoryLine, line_of


@dataclass(frozen=True)
class AddedLines:
    """The lines that were added.

    Attributes:
        lines: path of the file below the published folder, and the line, for each one added.
        known: how many records had their line already.
    """

    lines: tuple[tuple[str, HistoryLine], ...]
    known: int


def history_files(folder: Path) -> list[Path]:
    """Return every file of a history below the published tables, in the order of their paths."""
    return sorted((folder / FOLDER).rglob("*.jsonl"))


def read_history(folder: Path) -> dict[str, list[HistoryLine]]:
    """Read every file's lines, by its path below the folder of published tables.

    Raises:
        RequestError: a line is not one of a history; the message names it.
    """
    return {
        path.relative_to(folder).as_posix(): [
            parse_line(text, f"{path}: line {number}")
            for number, text in enumerate(texts(path), start=1)
        ]
        for path in history_files(folder)
    }


def parse_line(text: str, where: str) -> HistoryLine:
    """Read a line.

    Args:
        text: the line, without its end.
        where: how an error names it.

    Raises:
        RequestError: it is not one.
    """
    try:
        return HistoryLine.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = f"{place}: {first['msg']}" if place else first["msg"]
        raise RequestError(f"{where}: not a line of a history: {said}") from error


def line_text(line: HistoryLine) -> str:
    """Return a line as its file spells it, without its end."""
    return canonical_json(line.model_dump(mode="json", by_alias=True))


def texts(path: Path) -> list[str]:
    """Read the lines of a file.

    Raises:
        RequestError: it is not text.
    """
    try:
        content = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise RequestError(f"{path}: not text ({error}); restore it from git") from error
    return content.removesuffix("\n").split("\n") if content else []


def add(runs: Path, folder: Path, night: str | None = None) -> AddedLines:
    """Add a line for each record of a runs folder that has none yet.

    Args:
        runs: the folder; the latest attempt of each job is taken.
        folder: the published tables, mostly `leaderboards`.
        night: the day that all of them count for, as 2026-11-21; None takes each one's own.

    Raises:
        RequestError: there is no record, one may not be published, or a history was edited.
    """
    sources = record_files(runs)
    with lock(runs / FOLDER):
        lines = [line_of(read_record(each), each.read_bytes(), night, each) for each in sources]
        return _append(sorted(lines, key=lambda line: (line.night, line.path)), folder)


def record_files(runs: Path) -> list[Path]:
    """Return the latest record of each job of a runs folder, in the order of their paths.

    Raises:
        RequestError: there is none.
    """
    found = sorted(runs.glob("*/*/*/*/record.json"))
    if not found:
        raise RequestError(f"{runs}: holds no record; run a suite first")
    return found


def _append(lines: Sequence[HistoryLine], folder: Path) -> AddedLines:
    files = {path: _read_unedited(folder, path) for path in sorted({line.path for line in lines})}
    known = {parse_line(text, "").record for held in files.values() for text in held}
    new: list[tuple[str, HistoryLine]] = []
    for line in lines:
        if line.record in known:
            continue
        held = files[line.path]
        chained = line.model_copy(update={"previous": chain(held)})
        held.append(line_text(chained))
        known.add(line.record)
        new.append((line.path, chained))
    for path in sorted({path for path, _ in new}):
        write_text(folder / path, file_content(files[path]))
    return AddedLines(tuple(new), len(lines) - len(new))


def chain(held: Sequence[str]) -> str:
    """Return the hash that the next line holds of the one before it."""
    return sha256(held[-1].encode()) if held else ""


def file_content(held: Iterable[str]) -> str:
    """Return lines as a file's content."""
    return "".join(f"{text}\n" for text in held)


def broken(folder: Path, name: str) -> list[str]:
    """Name every line of a file that is not what was written once.

    Args:
        folder: the published tables.
        name: the file's path below them.
    """
    held = texts(folder / name)
    whole = (folder / name).read_bytes() == file_content(held).encode()
    complaints = [] if whole else [f"{name}: its last line has no end; restore it from git"]
    seen: dict[str, int] = {}
    for number, text in enumerate(held, start=1):
        where = f"{name}: line {number}"
        try:
            line = parse_line(text, where)
        except RequestError as error:
            complaints.append(str(error))
            continue
        complaints += _broken_line(line, text, held[: number - 1], where)
        complaints += [] if line.path == name else [f"{where} belongs at {line.path}"]
        first = seen.setdefault(line.record, number)
        complaints += [] if first == number else [f"{where} repeats the record of line {first}"]
    return complaints


def _broken_line(line: HistoryLine, text: str, before: Sequence[str], where: str) -> list[str]:
    if line_text(line) != text:
        return [f"{where} is not spelled as it was written; restore it from git"]
    if line.previous == chain(before):
        return []
    why = "the line before it was edited" if before else "the lines before it are missing"
    return [f"{where} does not follow: {why}; a history is never changed, restore it from git"]


def _read_unedited(folder: Path, name: str) -> list[str]:
    """Read the lines of a file that is as it was written; none of one that is not there yet."""
    if not (folder / name).is_file():
        return []
    complaints = broken(folder, name)
    if complaints:
        raise RequestError("\n".join(complaints))
    return texts(folder / name)
