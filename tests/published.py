"""Published records, found by their place."""

from __future__ import annotations

from pathlib import Path

from harness.board.record_paths import is_record
from harness.records.record_files import read_record
from tests.places import RECORDS


def newest(start: str) -> Path:
    """The record of the newest protocol whose path below the records begins so."""
    folder, _, name = start.rpartition("/")
    paths = sorted(
        path for path in (RECORDS / folder).glob(f"{name}*.json") if is_record(path.name)
    )
    return max(paths, key=lambda path: read_record(path).protocol.version)
