from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.records.record import Record
from harness.records.record_files import read_record
from tests.published import newest


@pytest.fixture
def published() -> Callable[[str], tuple[Path, Record]]:
    """The newest published record whose path begins so, below the records."""

    def find(start: str) -> tuple[Path, Record]:
        path = newest(start)
        return path, read_record(path)

    return find
