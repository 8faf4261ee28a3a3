"""The one gate: whatever a training logged, read into series."""

from __future__ import annotations

from pathlib import Path

from harness.errors import RequestError
from harness.series.event_files import MARK, read_event_folders
from harness.series.points import Points
from harness.series.series import Series
from harness.series.series_file import FILE, PUBLISHED, is_own, read_own, unpacked
from harness.series.table_files import read_csv, read_jsonl
from harness.series.text_logs import kind_of_log

KNOWN = (
    "a series of ours (series.jsonl), TensorBoard's event files, CSV or JSONL with a column of "
    "steps or epochs, or train.log of WeSpeaker or 3D-Speaker"
)
LOGS = ("train.log", "train_epoch.log", "*.log", "*.csv", "*.tsv", "*.jsonl")


def read_series(path: Path) -> tuple[Series, ...]:
    """Read a log, or all that a folder holds; each series says in `source` what it was.

    In a folder, a series of ours goes before event files, and these before text logs and tables:
    they mostly say the same.

    Args:
        path: a file or folder.

    Raises:
        RequestError: it is absent.
        DataError: it is nothing that is known, or is damaged.
    """
    if not path.exists():
        raise RequestError(f"{path}: no such file or folder; give a log or a run's folder")
    if path.is_dir():
        return _read_folder(path)
    if MARK in path.name:
        return read_event_folders(path)
    return (_read_file(path),)


def _read_folder(folder: Path) -> tuple[Series, ...]:
    own = [folder / name for name in (FILE, PUBLISHED) if (folder / name).is_file()]
    if own:
        return (read_own(own[0]),)
    if any(folder.rglob(f"*{MARK}*")):
        return read_event_folders(folder)
    for pattern in LOGS:
        found = [path for path in sorted(folder.glob(pattern)) if path.is_file()]
        if found:
            return tuple(_read_file(path) for path in found)
    names = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
    raise RequestError(f"{folder}: no log in it ({names}); give a folder with {KNOWN}")


def _read_file(path: Path) -> Series:
    text = unpacked(path).decode("utf-8", "replace")
    first = text.lstrip("\ufeff\n ").split("\n", 1)[0]
    if is_own(first):
        return read_own(path)
    if first.startswith("{"):
        return read_jsonl(path, text)
    log = kind_of_log(text)
    if log is not None:
        return log(path, text)
    if any(each in first for each in ",\t;"):
        return read_csv(path, text)
    raise Points(path).refuse(f"no log that is known; give {KNOWN}")
