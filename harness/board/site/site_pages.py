"""The site: each table as a section of a page, and the pages assembled from sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.board.record_paths import slug
from harness.board.site.templates import assets, page, template
from harness.board.site.views import (
    ChangeView,
    Summary,
    change_view,
    reference_view,
    summary,
    table_view,
)
from harness.board.standing.table import Table
from harness.board.versions.changelog import LogEntry
from harness.board.writing.references import References
from harness.records.details import Details

FOLDER = "site"

INDEX, CHANGES = "index.html", "changes.html"
"""Pages of all suites."""


@dataclass(frozen=True)
class Section:
    """A table, rendered for the site.

    Attributes:
        suite: name and title of its suite.
        dataset: the name of its dataset.
        version: of its protocol.
        archived: True if a newer version of it is on the suite's page.
        summary: a few lines of it.
        text: its part of the page.
        changes: its part of the change log.
    """

    suite: tuple[str, str]
    dataset: str
    version: int
    archived: bool
    summary: Summary
    text: Markup
    changes: tuple[ChangeView, ...]

    @property
    def page(self) -> str:
        """Its page: the suite's, or one of its archive."""
        return page_name(self.suite[0], self.version if self.archived else None)


def section(
    table: Table,
    details: Mapping[str, Details],
    references: References,
    log: Sequence[LogEntry],
    *,
    archived: bool,
) -> Section:
    """Render a table.

    Args:
        table: the table; its records' paths are relative to the published folder.
        details: record's path -> the details beside it.
        references: published figures of others; none stands beside an archived table.
        log: its changes.
        archived: True if a newer version of the table is on the suite's page.
    """
    protocol = table.protocol
    beside = [] if archived else references.beside(table)
    view = table_view(table, details, beside)
    text = template("section.html").render(view=view, changed=CHANGES if log else "")
    return Section(
        suite=(protocol.suite, protocol.suite_title or protocol.suite),
        dataset=table.dataset.name,
        version=protocol.version,
        archived=archived,
        summary=summary(table),
        text=Markup(text),
        changes=tuple(map(change_view, log)),
    )


def page_name(suite: str, version: int | None = None) -> str:
    """Return the file of a suite's page, or of an archived version; a point is in no slug.

    >>> page_name("speaker"), page_name("index"), page_name("speaker", 1)
    ('speaker.html', 'index.suite.html', 'speaker.v1.html')
    """
    name = slug(suite)
    if version is not None:
        return f"{name}.v{version}.html"
    return f"{name}.suite.html" if f"{name}.html" in (INDEX, CHANGES) else f"{name}.html"


@dataclass(frozen=True)
class SuitePages:
    """A suite as the index and its pages show it; `page`, `text` and `document` are its files."""

    name: str
    title: str
    page: str
    text: str
    document: str
    sections: tuple[Section, ...]
    earlier: dict[str, list[Section]]

    @property
    def with_changes(self) -> list[Section]:
        """Its tables that changed, those of its archive last."""
        held = [*self.sections, *(each for old in self.earlier.values() for each in old)]
        return [each for each in held if each.changes]


def pages(sections: Iterable[Section], references: References) -> dict[str, str]:
    """Assemble the site from its tables, in their order on each page.

    Args:
        sections: the tables of all suites in their order, archived ones among them.
        references: published figures of others.
    """
    by_suite: dict[str, list[Section]] = {}
    for each in sections:
        by_suite.setdefault(slug(each.suite[0]), []).append(each)
    suites = [_suite(name, held) for name, held in by_suite.items()]
    made = {**assets(), **{name: page(name, suites=suites) for name in (INDEX, CHANGES)}}
    for suite in suites:
        made |= _suite_pages(suite, suites, references)
    return {f"{FOLDER}/{name}": text for name, text in made.items()}


def _suite(name: str, sections: Sequence[Section]) -> SuitePages:
    current = [each for each in sections if not each.archived]
    earlier: dict[str, list[Section]] = {}
    for each in sorted(sections, key=lambda each: -each.version):
        if each.archived:
            earlier.setdefault(each.page, []).append(each)
    title = current[0].suite[1]
    files = page_name(name), f"{name}.md", f"{name}.json"
    return SuitePages(name, title, *files, tuple(current), earlier)


def _suite_pages(
    suite: SuitePages, suites: Sequence[SuitePages], references: References
) -> dict[str, str]:
    shown = {"suite": suite, "suites": suites}
    known = (each.dataset for each in suite.sections)
    others = references.elsewhere(suite.sections[0].suite[0], known)
    left = [reference_view(group) for group in others]
    made = {suite.page: page("suite.html", sections=suite.sections, elsewhere=left, **shown)}
    for name, held in suite.earlier.items():
        made[name] = page("archived.html", sections=held, here=name, **shown)
    return made
