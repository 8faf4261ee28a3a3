"""Copies of the published tables, as repositories of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.board.published_copy import Copy, make_copy


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return make_copy(tmp_path_factory.mktemp("template") / "repository")


@pytest.fixture
def copy(template: Copy, tmp_path: Path) -> Copy:
    return Copy(Path(shutil.copytree(template.top, tmp_path / "repository")))
