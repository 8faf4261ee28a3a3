"""The README's example is complete, short, and does what it says."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

from harness.config.imports import construct
from harness.config.loader import load
from harness.testing import check_model

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")


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
    yield load(file)
    sys.modules.pop("my_models", None)  # other tests have a module of this name


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


def code(page: str) -> list[str]:
    """The blocks of code of a page, without the comments, which are in its language."""
    blocks = re.findall(r"```(.*?)```", page, flags=re.DOTALL)
    return [re.sub(r"\s*#.*", "", block) for block in blocks]


def targets(page: str) -> list[str]:
    languages = {"README.md", "README.zh.md"}
    return [link for link in re.findall(r"\]\(([^)]+)\)", page) if link not in languages]


def test_the_chinese_readme_has_the_same_commands_tables_headings_and_links():
    assert code(CHINESE) == code(README)
    mark = "<!-- end of table -->"
    assert rows(CHINESE[: CHINESE.index(mark)]) == rows(README[: README.index(mark)])
    ours, theirs = (rows(page[page.index(mark) :]) for page in (README, CHINESE))
    assert [row[0] for row in theirs if "`" in row[0]] == [row[0] for row in ours if "`" in row[0]]
    named = [
        [set(re.findall(r"`[^`]+`", cell)) for row in each for cell in row]
        for each in (ours, theirs)
    ]
    assert named[0] == named[1]
    assert len(re.findall("^## ", CHINESE, re.MULTILINE)) == len(
        re.findall("^## ", README, re.MULTILINE)
    )
    assert targets(CHINESE) == targets(README)
