"""The README's example is complete, short, and does what it says."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from harness.config.imports import construct
from harness.config.loader import load
from harness.testing import check_model

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, holding: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    return next(text for text in blocks if holding in text)


@pytest.fixture
def example(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text(block("python", "my_models.py"), encoding="utf-8")
    file = tmp_path / "benchmark.toml"
    file.write_text(block("toml", "base = "), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return load(file)


def test_the_example_has_at_most_twenty_lines():
    assert len(block("python", "my_models.py").splitlines()) <= 20


def test_the_examples_model_is_built_from_its_table_and_conforms(example):
    table = example.benchmark.models["mean-of-frames"]
    check_model(construct(table.adapter, table.fields, "models.mean-of-frames"))


def test_the_examples_suite_stands_beside_ours(example):
    assert "mean-of-frames" in example.suite("mine").models
    assert "ecapa-512" in example.benchmark.models


def test_every_file_that_the_readme_links_to_exists():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_readmes_table_is_the_published_one():
    published = (ROOT / "leaderboards" / "speaker.md").read_text(encoding="utf-8")
    shown = README[README.index("<!-- table -->") : README.index("<!-- end of table -->")]
    header, _, *entries = rows(shown)
    assert len(entries) >= 4
    for entry in entries:
        same = [row for row in rows(published) if set(entry) <= set(row)]
        assert same, f"no published row holds all of {dict(zip(header, entry, strict=True))}"
