"""The published files, as a pure function of the published records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from harness.board.document import document_text
from harness.board.markdown import escape, link, section
from harness.board.names import slug
from harness.board.numbers import counted
from harness.board.plots import holds_plot, plots, write_plot
from harness.board.rows import Filed
from harness.board.table import Table, tables
from harness.records.files import write_text
from harness.records.record import Record
from harness.records.store import read_record

_GENERATED = "Generated from `records/` by `harness board build`: do not edit this page."


@dataclass(frozen=True)
class Files:
    """The published files beside the records, by their paths relative to the folder.

    Attributes:
        texts: pages and documents -> content.
        plots: pictures -> what each shows.
    """

    texts: dict[str, str] = field(default_factory=dict)
    plots: dict[str, dict[str, Any]] = field(default_factory=dict)


def render(records: Mapping[str, Record]) -> Files:
    """Make every published file from the published records.

    Args:
        records: path relative to the folder -> record.

    Returns:
        The files, the same for the same records in whatever order.

    Raises:
        RequestError: a record does not say how its primary metric is to be sorted.
    """
    suites = _suites(tables(Filed(record, path) for path, record in sorted(records.items())))
    files = Files({"README.md": _index(suites)})
    for name, suite in suites.items():
        drawn = [plots(table) for table in suite]
        files.texts[f"{name}.md"] = _page(suite, [_paths(each) for each in drawn])
        files.texts[f"{name}.json"] = document_text(suite)
        files.plots.update(dict(plot for each in drawn for plot in each.values()))
    return files


def build(folder: Path) -> list[Path]:
    """Write every published file that is not yet what the records give.

    Returns:
        The files written.

    Raises:
        RequestError: a file among the records is not a record.
    """
    files = render(read_published(folder))
    texts = {folder / name: text for name, text in files.texts.items()}
    drawn = {folder / name: data for name, data in files.plots.items()}
    stale = [path for path, text in texts.items() if not _holds(path, text)]
    undrawn = [path for path, data in drawn.items() if not holds_plot(path, data)]
    for path in stale:
        write_text(path, texts[path])
    for path in undrawn:
        write_plot(path, drawn[path])
    return stale + undrawn


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


def _page(suite: list[Table], pictures: list[dict[str, str]]) -> str:
    heading = f"# {escape(_title(suite))}\n\n{_GENERATED}\n"
    sections = (section(table, paths) for table, paths in zip(suite, pictures, strict=True))
    return "\n".join([heading, *sections])


def _paths(drawn: Mapping[str, tuple[str, dict[str, Any]]]) -> dict[str, str]:
    return {environment: path for environment, (path, _) in drawn.items()}


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
