"""The published files, as a pure function of the published records."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from harness.board.document import document_text
from harness.board.markdown import escape, link, section
from harness.board.names import slug
from harness.board.numbers import counted
from harness.board.rows import Filed
from harness.board.table import Table, tables
from harness.records.files import write_text
from harness.records.record import Record
from harness.records.store import read_record

_GENERATED = "Generated from `records/` by `harness board build`: do not edit this page."


def render(records: Mapping[str, Record]) -> dict[str, str]:
    """Make every published file from the published records.

    Args:
        records: path relative to the folder -> record.

    Returns:
        File name -> content, the same bytes for the same records in whatever order.

    Raises:
        RequestError: a record does not say how its primary metric is to be sorted.
    """
    suites = _suites(tables(Filed(record, path) for path, record in sorted(records.items())))
    files = {"README.md": _index(suites)}
    for name, suite in suites.items():
        files[f"{name}.md"] = _page(suite)
        files[f"{name}.json"] = document_text(suite)
    return files


def build(folder: Path) -> list[Path]:
    """Write every published file that is not yet what the records give.

    Returns:
        The files written.

    Raises:
        RequestError: a file among the records is not a record.
    """
    wanted = {folder / name: content for name, content in render(read_published(folder)).items()}
    changed = {path: text for path, text in wanted.items() if not _holds(path, text)}
    for path, text in changed.items():
        write_text(path, text)
    return list(changed)


def record_files(folder: Path) -> list[Path]:
    """Every published record's file, in the order of their paths."""
    return sorted((folder / "records").rglob("*.json"))


def read_published(folder: Path) -> dict[str, Record]:
    """Every published record by its path relative to the folder.

    Raises:
        RequestError: a file among the records is not a record.
    """
    files = record_files(folder)
    return {path.relative_to(folder).as_posix(): read_record(path) for path in files}


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _suites(made: list[Table]) -> dict[str, list[Table]]:
    ordered = sorted(made, key=lambda table: slug(table.protocol.suite))
    groups = groupby(ordered, lambda table: slug(table.protocol.suite))
    return {name: list(group) for name, group in groups}


def _page(suite: list[Table]) -> str:
    heading = f"# {escape(_title(suite))}\n\n{_GENERATED}\n"
    return "\n".join([heading, *(section(table) for table in suite)])


def _index(suites: Mapping[str, list[Table]]) -> str:
    listed = [_listed(name, suite) for name, suite in suites.items()]
    return f"# Leaderboards\n\n{_GENERATED}\n\n" + ("\n".join(listed) or "No records yet.") + "\n"


def _listed(name: str, suite: list[Table]) -> str:
    held = f"{counted(len(suite), 'table')}, {counted(sum(len(t.rows) for t in suite), 'row')}"
    data = sorted({table.dataset.title or table.dataset.name for table in suite})
    title, document = link(_title(suite), f"{name}.md"), link("JSON", f"{name}.json")
    return f"- {title}: {escape(', '.join(data))} ({held}; {document})"


def _title(suite: list[Table]) -> str:
    return suite[0].protocol.suite_title or suite[0].protocol.suite
