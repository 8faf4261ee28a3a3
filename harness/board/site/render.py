"""The site's pages, as a pure function of the published tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.board.names import slug
from harness.board.site.sections import Section, page_name, parted, section
from harness.board.site.templates import page
from harness.board.site.views import Further, reference_view
from harness.board.standing.table import Table
from harness.board.versions.archive import family, newest
from harness.board.writing.references import References
from harness.records.details import Details

FOLDER = "site"


@dataclass(frozen=True)
class Suite:
    """A suite as the index and its pages show it; `page`, `text` and `document` are its files."""

    title: str
    page: str
    text: str
    document: str
    sections: tuple[Section, ...]
    earlier: dict[str, list[Section]]


def render_site(
    suites: Mapping[str, Sequence[Table]],
    details: Mapping[str, Details] | None = None,
    references: References | None = None,
) -> dict[str, str]:
    """Make every page of the site.

    Args:
        suites: suite -> its tables of all protocol versions, in the order of its pages.
        details: record's path relative to the published folder -> what lies beside it.
        references: what others have published.

    Returns:
        Path relative to the published folder -> page; the same for the same tables.
    """
    every = [table for tables in suites.values() for table in tables]
    last = newest(every)
    return pages(
        (
            section(
                table,
                details or {},
                references,
                archived=table.protocol.version < last[family(table)],
            )
            for table in every
        ),
        references,
    )


def pages(sections: Iterable[Section], references: References | None = None) -> dict[str, str]:
    """Put the site together from its tables, in their order on each page.

    Args:
        sections: the tables of all suites, archived ones among them.
        references: what others have published.
    """
    by_suite: dict[str, list[Section]] = {}
    for each in sections:
        by_suite.setdefault(slug(each.suite[0]), []).append(each)
    suites = [_suite(name, held) for name, held in sorted(by_suite.items())]
    made = {"index.html": page("index.html", suites=suites)}
    for suite in suites:
        made |= _suite_pages(suite, suites, references)
    return {f"{FOLDER}/{name}": text for name, text in made.items()}


def _suite(name: str, sections: Sequence[Section]) -> Suite:
    current, earlier = parted(sections)
    title = current[0].suite[1]
    return Suite(title, page_name(name), f"{name}.md", f"{name}.json", tuple(current), earlier)


def _suite_pages(
    suite: Suite, suites: Sequence[Suite], references: References | None
) -> dict[str, str]:
    shown = {"suite": suite, "suites": suites}
    left = _elsewhere(suite, references)
    made = {suite.page: page("suite.html", sections=suite.sections, elsewhere=left, **shown)}
    for name, held in suite.earlier.items():
        made[name] = page("archived.html", sections=held, here=name, **shown)
    return made


def _elsewhere(suite: Suite, references: References | None) -> list[Further]:
    """What others have published on datasets of which the page has no table."""
    shown = {each.dataset for each in suite.sections}
    groups = references.of(suite.sections[0].suite[0]) if references else []
    return [reference_view(group) for group in groups if group.dataset not in shown]
