"""Records of a runs folder: read with the ends of their trainings, chosen, made into tables."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from harness.board.record_paths import series_path
from harness.board.standing.curve_axes import curves_of
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.json_document import document_text
from harness.board.writing.markdown import section
from harness.errors import DataError, RequestError
from harness.health.training_end import TrainingEnd, read_training_end
from harness.records.files import write_text
from harness.records.record import Record
from harness.records.record_files import read_record, usable_record
from harness.series.series_file import PUBLISHED

UNREAD: Mapping[Path, FiledRecord] = {}


def write_local(
    runs: Path, suite: str, profile: str, known: Mapping[Path, FiledRecord] = UNREAD
) -> Path:
    """Write `<suite>-<profile>.md` and `.json` from every record of that suite and profile.

    Args:
        runs: the folder of runs.
        suite, profile: whose tables are written.
        known: absolute path -> record of those that need not be read again.

    Returns:
        The Markdown file.
    """
    name = f"{suite}-{profile}"
    paths = sorted((runs / name).rglob("record.json"))
    made = tables(
        replace(
            known.get(path.resolve()) or file_record(path), path=path.relative_to(runs).as_posix()
        )
        for path in paths
    )
    write_text(runs / f"{name}.json", document_text(made))
    curves = {curve.host: curve for curve in curves_of(made)}
    sections = (section(table, curve=curves.get(table)) for table in made)
    write_text(runs / f"{name}.md", "\n".join(sections))
    return runs / f"{name}.md"


def file_record(path: Path, record: Record | None = None) -> FiledRecord:
    """Return the record in a file with how its training ended, and without a path of its own.

    Args:
        path: the file.
        record: its content, if it need not be read again.
    """
    return FiledRecord(_usable(path, record), end=end_beside(path))


def end_beside(record: Path) -> TrainingEnd | None:
    """Return how the training of a record in a file ended; None without its series beside it."""
    own = record.name == "record.json"
    series = record.with_name(PUBLISHED if own else series_path(record.name))
    if not series.is_file():
        return None
    with suppress(DataError):  # a run's own series may be cut off; its record stands
        return read_training_end(series)
    return None


def latest_records(
    runs: Path, suites: tuple[str, ...], datasets: tuple[str, ...], *, include_failed: bool
) -> dict[Path, Record]:
    """Return the latest record of each entry and seed below a runs folder, by its path.

    Args:
        runs: the folder.
        suites, datasets: only these, folds of the datasets too; an empty tuple takes all.
        include_failed: rows without a result too.

    Raises:
        RequestError: there is nothing to choose from.
    """
    wanted = []
    for path in sorted(runs.glob("*/*/*/*/record.json")):
        record = _usable(path)
        fold = record.dataset.fold
        if (
            record.protocol.suite in (suites or (record.protocol.suite,))
            and (not datasets or {record.dataset.name, fold and fold.of} & set(datasets))
            and (include_failed or record.state == "done")
        ):
            wanted.append(FiledRecord(record, str(path)))
    if not wanted:
        raise RequestError(f"{runs}: holds no record to publish; run a suite first")
    rows = [filed for table in tables(wanted) for row in table.rows for filed in row.filed]
    return {Path(part.path): part.record for filed in rows for part in filed.files}


def _usable(path: Path, known: Record | None = None) -> Record:
    return usable_record(path, known or read_record(path))
