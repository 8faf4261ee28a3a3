"""Filtering a page of 2,000 rows, against showing and hiding all of its rows in place."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.board.publishing.published_tables import read_folder
from harness.board.publishing.rendering import Beside, render_tables
from harness.board.publishing.site_pages import pages
from harness.board.standing.rows import FiledRecord, Row
from harness.board.standing.table import Table
from harness.board.standing.table_ranks import TableRanks
from harness.board.writing.references import References
from tests.benchmarks.figures import Figure, missed
from tests.places import ROOT

ROWS = 2000
ROUNDS = 5

OURS = """(text) => {
  const view = board.page.views[0];
  const start = performance.now();
  view.change({ text }, { replace: true });
  view.rows.table.offsetHeight;
  return performance.now() - start;
}"""

IN_PLACE = """(text) => {
  const { rows, table, texts, bodies } = board.page.views[0].rows;
  for (const place of bodies) if (place.body.rows.length < rows.length) place.body.append(...rows);
  table.offsetHeight;
  const start = performance.now();
  rows.forEach((row, number) => { row.hidden = !texts[number].includes(text); });
  table.offsetHeight;
  return performance.now() - start;
}"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    """A table of 2,000 rows, each like a published one, in a browser."""
    browsers = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in browsers if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(browsers)} is on the PATH")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    site = pages(render_tables([table()], Beside()), References())
    for path, text in site.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.goto((tmp_path / "site" / "speaker.html").as_uri())
        yield opened
        browser.close()


def table() -> Table:
    """2,000 entries of other names, without ranks, which would take a minute to be told."""
    record = next(
        record
        for record in read_folder(ROOT / "leaderboards")[0].values()
        if record.protocol.suite == "speaker" and not record.is_baseline
    )
    draw, primary = random.Random(0), record.protocol.primary
    rows = []
    for number in range(ROWS):
        name = record.model.model_copy(update={"name": f"model-{number:04}"})
        metric = record.metrics[primary].model_copy(update={"value": draw.uniform(0.01, 0.3)})
        metrics = {**record.metrics, primary: metric}
        own = record.model_copy(update={"model": name, "metrics": metrics})
        rows.append(Row((FiledRecord(own, f"records/{number}.json"),)))
    return Table(tuple(rows), TableRanks((None,) * ROWS, reason="not told here"))


def best(page: Any, way: str) -> float:
    """The least milliseconds that a filter, and its end, take until all is laid out."""
    return min(page.evaluate(way, "model-01") + page.evaluate(way, "") for _ in range(ROUNDS)) / 2


def test_filtering(page: Any, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    ours = benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: best(page, OURS), rounds=1
    )
    rival = best(page, IN_PLACE)
    figures += [
        Figure(f"a filter of {ROWS:,} rows, or its end, laid out", ours, "ms"),
        Figure("… hiding all rows in place", rival / ours, "times as long", least=2),
    ]
    assert missed(figures) == []
