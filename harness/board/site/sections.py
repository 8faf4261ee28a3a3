"""A table as a section of a page of the site; pages are put together from sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.board.names import slug
from harness.board.site.templates import template
from harness.board.site.views import Change, Summary, change_view, summary, table_view
from harness.board.standing.table import Table
from harness.board.versions.changelog import LogEntry
from harness.board.writing.references import References
from harness.records.details_schema import Details

INDEX, CHANGES = "index.html", "changes.html"
"""Pages of all suites."""


@dataclass(frozen=True)
class Section:
    """A table, rendered for the site.

    Attributes:
        suite: name and title of its suite.
        dataset: the name of its dataset.
        version: of its protocol.
        archived: whether a newer version of it is on the suite's page.
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
    changes: tuple[Change, ...]

    @property
    def page(self) -> str:
        """The page that it stands on: the suite's, or one of its archive."""
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
        details: record's path -> what lies beside it.
        references: what others have published; none stands beside an archived table.
        log: what is new in it.
        archived: whether a newer version of the table is on the suite's page.
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
    """The file of a suite's page, or of an archived version; a point is in no slug.

    >>> page_name("speaker"), page_name("index"), page_name("speaker", 1)
    ('speaker.html', 'index.suite.html', 'speaker.v1.html')
    """
    name = slug(suite)
    if version is not None:
        return f"{name}.v{version}.html"
    return f"{name}.suite.html" if f"{name}.html" in (INDEX, CHANGES) else f"{name}.html"


def parted(sections: Sequence[Section]) -> tuple[list[Section], dict[str, list[Section]]]:
    """Those of a suite's own page, and those of each page of its archive, newest first."""
    old = sorted((each for each in sections if each.archived), key=lambda each: -each.version)
    earlier: dict[str, list[Section]] = {}
    for each in old:
        earlier.setdefault(each.page, []).append(each)
    return [each for each in sections if not each.archived], earlier
