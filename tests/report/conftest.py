from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.records.record import Record
from harness.records.record_files import read_record

RECORDS = Path(__file__).resolve().parents[2] / "leaderboards" / "records"


@pytest.fixture
def published() -> Callable[[str], tuple[Path, Record]]:
    """The first published record whose path begins so, below the records."""

    def find(start: str) -> tuple[Path, Record]:
        folder, _, name = start.rpartition("/")
        paths = sorted((RECORDS / folder).glob(f"{name}*.json"))
        path = next(path for path in paths if path.name.count(".") == 1)
        return path, read_record(path)

    return find
