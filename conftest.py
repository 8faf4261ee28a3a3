"""The examples in docstrings are tests too."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules with neither tests nor examples: looking for some would import them all."""
    tests = config.getini("python_files")
    if collection_path.suffix != ".py" or any(map(collection_path.match, tests)):
        return None
    return None if ">>> " in collection_path.read_text(encoding="utf-8") else True
