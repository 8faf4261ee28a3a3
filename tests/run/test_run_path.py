"""The page that lists the functions from the command to the table names functions that exist."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.places import ROOT

PAGE = ROOT / "docs" / "design.md"
SECTION = (
    PAGE.read_text(encoding="utf-8").split("## From the command to the table")[1].split("\n## ")[0]
)
NAME = re.compile(r"`((?:board|cli|config|datasets|run|tasks|train)\.[\w.]+)`")


@pytest.mark.parametrize("name", sorted(set(NAME.findall(SECTION))))
def test_what_the_page_names_is_there(name: str) -> None:
    parts = ["harness", *name.split(".")]
    for count in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return
    raise AssertionError(name)
