"""The site's pages, assembled from the tables on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.board.publishing.rendering import RenderedTable
from harness.board.record_paths import slug
from harness.board.site.templates import assets, page
from harness.board.site.views import CHANGES, INDEX, reference_view
from harness.board.writing.references import References

FOLDER = "site"


@dataclass(frozen=True)
class SuitePages:
    """A suite as the index and its pages show it; `page`, `text` and `document` are its files."""

    name: str
    title: str
    page: str
    text: str
    document: str
    sections: tuple[RenderedTable, ...]
    earlier: dict[str, list[RenderedTable]]

    @property
    def with_changes(self) -> list[tuple[str, RenderedTable]]:
        """Page and table of each table that changed, those of its archive last."""
        held = [(self.page, each) for each in self.sections]
        held += [(name, each) for name, old in self.earlier.items() for each in old]
        return [(name, each) for name, each in held if each.changes]


def pages(tables: Iterable[RenderedTable], references: References) -> dict[str, str]:
    """Assemble the site from its tables, in their order on each page.

    Args:
        tables: of all suites in their order, archived ones among them.
        references: published figures of others.
    """
    by_suite: dict[str, list[RenderedTable]] = {}
    for each in tables:
        by_suite.setdefault(slug(each.suite[0]), []).append(each)
    suites = [_suite(name, held) for name, held in by_suite.items()]
    made = {**assets(), **{name: page(name, suites=suites) for name in (INDEX, CHANGES)}}
    for suite in suites:
        shown = {"suite": suite, "suites": suites}
        known = (each.dataset[0] for each in suite.sections)
        others = references.elsewhere(suite.sections[0].suite[0], known)
        left = [reference_view(group) for group in others]
        made[suite.page] = page("suite.html", sections=suite.sections, elsewhere=left, **shown)
        for name, held in suite.earlier.items():
            made[name] = page("archived.html", sections=held, here=name, **shown)
    return {f"{FOLDER}/{name}": text for name, text in made.items()}


def _suite(name: str, tables: Sequence[RenderedTable]) -> SuitePages:
    current = [each for each in tables if not each.is_archived]
    earlier: dict[str, list[RenderedTable]] = {}
    for each in sorted(tables, key=lambda each: -each.version):
        if each.is_archived:
            earlier.setdefault(page_name(name, each.version), []).append(each)
    files = page_name(name), f"{name}.md", f"{name}.json"
    return SuitePages(name, current[0].suite[1], *files, tuple(current), earlier)


def page_name(suite: str, version: int | None = None) -> str:
    """Return the file of a suite's page, or of an archived version; a point is in no slug.

    >>> page_name("speaker"), page_name("index"), page_name("speaker", 1)
    ('speaker.html', 'index.suite.html', 'speaker.v1.html')
    """
    name = slug(suite)
    if version is not None:
        return f"{name}.v{version}.html"
    return f"{name}.suite.html" if f"{name}.html" in (INDEX, CHANGES) else f"{name}.html"
