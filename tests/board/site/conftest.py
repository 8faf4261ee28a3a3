"""The site of the published records, of a table full of trouble, and a browser to look at them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.board.publishing.published_tables import Beside, read_folder, render
from harness.board.writing.references import References
from harness.records.details_schema import Det, Details, DetPoint
from harness.records.record import Record
from tests.places import ROOT

PUBLISHED = ROOT / "leaderboards"
NO_REFERENCES = References()
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

HOSTILE = (
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script>",
    "\"'><img src=x onerror=document.title='owned'>",
    "{{ 7 * 7 }} & &amp; ${7 * 7}",
    "abc\u202edcba\u2028next",
    "עברית",
    "w" * 300,
)
"""Names that try to be more than names."""


def site_pages(
    records: Mapping[str, Record],
    details: Mapping[str, Details] | None = None,
    references: References = NO_REFERENCES,
) -> dict[str, str]:
    """The pages of the site of some records, by their paths."""
    texts = render(records, Beside(details or {}, references)).texts
    return {path: text for path, text in texts.items() if path.startswith("site/")}


@pytest.fixture(scope="session")
def published_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the published records, beside what its pages link to."""
    folder = tmp_path_factory.mktemp("leaderboards")
    for path in PUBLISHED.iterdir():
        if path.name != "site":
            (folder / path.name).symlink_to(path)
    pages = site_pages(read_folder(PUBLISHED)[0])
    assert {"site/index.html", "site/speaker.html", "site/image.html"} <= pages.keys()
    write(folder, pages)
    return folder / "site"


def write(folder: Path, pages: dict[str, str]) -> None:
    """Put pages where their paths say."""
    for path, text in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def make_details(shift: float = 0.0) -> Details:
    """A companion with a curve of five points."""
    miss = (0.0, 0.01, 0.05 + shift, 0.3 + shift, 1.0)
    curve = Det(
        false_alarm=(1.0, 0.3, 0.05, 0.002, 0.0),
        miss=miss,
        targets=400,
        nontargets=2000,
        min_dcf=DetPoint(false_alarm=0.002, miss=miss[3]),
    )
    return Details(record="0" * 64, det=curve, breakdowns={})


@pytest.fixture
def site_of(tmp_path: Path) -> Callable[..., Path]:
    """The site of some records, each filed by its number."""

    def build(records: list[Record], details: dict[int, Details] | None = None) -> Path:
        filed = {f"records/{number}.json": record for number, record in enumerate(records)}
        beside = {f"records/{number}.json": each for number, each in (details or {}).items()}
        write(tmp_path, site_pages(filed, beside))
        return tmp_path / "site"

    return build


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; tests that look at pages are skipped where there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the PATH")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


class Tab:
    """A page in the browser, with all that it said and asked for."""

    def __init__(self, context: Any) -> None:
        self.page = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: Path, fragment: str = "") -> Any:
        """Open a file; its program has run when this returns."""
        self.page.goto(f"{path.as_uri()}{fragment}")
        return self.page


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Opens tabs, each in a context of its own; every one must have kept quiet."""
    opened: list[tuple[Any, Tab]] = []

    def new(width: int = 1280, **options: Any) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(60_000)
        opened.append((context, Tab(context)))
        return opened[-1][1]

    yield new
    for context, each in opened:
        assert each.said == []
        assert [url for url in each.asked if not url.startswith("file:")] == []
        context.close()
