"""What axe-core finds on the published pages, where a copy of it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.board.site.conftest import ROOT

SHOWN = "document.querySelectorAll('details:not(.menu)').forEach((each) => (each.open = true))"
FOUND = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .map((each) => `${each.id}: ${each.nodes[0].html} ${each.nodes[0].failureSummary}`)"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The program of axe-core: $AXE_CORE names its axe.min.js, or npm has put it here."""
    named = os.environ.get("AXE_CORE")
    path = Path(named) if named else ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.skip(f"no axe-core at {path}; set $AXE_CORE to its axe.min.js (npm pack axe-core)")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_serious_on_any_page(tab, axe, published_site, width, scheme):
    for path in sorted(published_site.glob("*.html")):
        page = tab(width, color_scheme=scheme).open(path)
        for box in page.locator("input.pick").all()[:3]:
            box.check()
        for sort in page.locator("table.main thead th button").all()[2:3]:
            sort.click()
        page.evaluate(SHOWN)
        page.evaluate(axe)
        assert page.evaluate(FOUND) == [], path.name
