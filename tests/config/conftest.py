"""A small benchmark file to be spoilt in one place at a time."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = """
[datasets.digits]
adapter = "harness.data.corpora.digits:Digits"
licence = "CC-BY-4.0"
split = { seed = 0, validation = 200, test = 500 }

[models.net]
adapter = "adapters.speechbrain:EcapaTdnn"
channels = 64

[losses.plain]
adapter = "adapters.losses:Softmax"

[recipes.short]
batch = 8
steps = 10

[suites.small]
title = "Small"
task = "harness.tasks.classification:Classification"
datasets = ["digits"]
models = ["net"]
losses = ["plain"]
profiles.quick = { recipe = "short" }
"""


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading makes a file's folder importable; a test's folder shall not stay so."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write the good file with one text replaced by another, or with a text added."""

    def write(old: str = "", new: str = "", *, add: str = "") -> Path:
        assert not old or GOOD.count(old) == 1, "spoil exactly one place"
        path = tmp_path / "mine.toml"
        path.write_text((GOOD.replace(old, new) if old else GOOD) + add, encoding="utf-8")
        return path

    return write
