from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import TinyBenchmark, finished_tiny


@pytest.fixture
def tiny(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> TinyBenchmark:
    """A user's own benchmark with seeds 0 and 7 of one network done."""
    return finished_tiny(tmp_path_factory.getbasetemp(), tmp_path / "own")
