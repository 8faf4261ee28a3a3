"""The tables beside the records of a runs folder."""

from __future__ import annotations

from pathlib import Path

from harness.board.standing.rows import Filed
from harness.board.standing.table import tables
from harness.board.writing.document import document_text
from harness.board.writing.markdown import section
from harness.errors import RequestError
from harness.records.files import write_text
from harness.records.record import Record
from harness.records.record_files import read_record, usable_record


def write_local(runs: Path, suite: str, profile: str) -> Path:
    """Write `<suite>-<profile>.md` and `.json` from every record of that suite and profile.

    Returns:
        The Markdown file.
    """
    name = f"{suite}-{profile}"
    paths = sorted((runs / name).rglob("record.json"))
    filed = [Filed(_usable(path), path.relative_to(runs).as_posix()) for path in paths]
    made = tables(filed)
    write_text(runs / f"{name}.json", document_text(made))
    write_text(runs / f"{name}.md", "\n".join(section(table) for table in made))
    return runs / f"{name}.md"


def chosen_records(
    runs: Path, suites: tuple[str, ...], datasets: tuple[str, ...], *, include_failed: bool
) -> list[Path]:
    """The latest record of each entry and seed below a runs folder, ready to be published.

    Args:
        runs: the folder.
        suites, datasets: only these; an empty tuple takes all.
        include_failed: rows without a result too.

    Raises:
        RequestError: there is nothing to choose from.
    """
    found = {path: _usable(path) for path in sorted(runs.glob("*/*/*/*/record.json"))}
    wanted = [
        Filed(record, str(path))
        for path, record in found.items()
        if record.protocol.suite in (suites or (record.protocol.suite,))
        and _is_of(record, datasets)
        and (include_failed or record.state == "done")
    ]
    if not wanted:
        raise RequestError(f"{runs}: holds no record to publish; run a suite first")
    rows = [filed for table in tables(wanted) for row in table.rows for filed in row.filed]
    return [Path(part.path) for filed in rows for part in filed.files]


def _usable(path: Path) -> Record:
    return usable_record(path, read_record(path))


def _is_of(record: Record, datasets: tuple[str, ...]) -> bool:
    """Whether a record is of one of some datasets, or of a fold of one."""
    fold = record.dataset.fold
    return not datasets or bool({record.dataset.name, fold and fold.of} & set(datasets))
