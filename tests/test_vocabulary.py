"""The vocabulary of docs/design.md: every word's class is where the page says."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from tests.places import ROOT

PAGE = ROOT / "docs" / "design.md"
ROW = re.compile(r"^\| (?P<word>[a-z ]+) \| (?:`(?P<module>[\w.]+):(?P<name>\w+)`)? ?\| .+ \|$")


def vocabulary() -> list[re.Match[str]]:
    section = PAGE.read_text(encoding="utf-8").split("## The words")[1].split("\n## ")[0]
    return [
        row for line in section.splitlines() if (row := ROW.match(line)) and row["word"] != "word"
    ]


def test_it_is_short_and_each_word_stands_once():
    words = [row["word"] for row in vocabulary()]
    assert 30 <= len(words) <= 40
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    "row", [row for row in vocabulary() if row["name"]], ids=lambda row: row["word"]
)
def test_a_word_has_its_class(row):
    assert isinstance(getattr(import_module(row["module"]), row["name"]), type)
