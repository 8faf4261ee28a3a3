"""The site's pages, put together from the tables on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.board.names import slug
from harness.board.site.sections import CHANGES, INDEX, Section, page_name, parted
from harness.board.site.templates import page
from harness.board.site.views import Further, reference_view
from harness.board.writing.references import References

FOLDER = "site"


@dataclass(frozen=True)
class Suite:
    """A suite as the index and its pages show it; `page`, `text` and `document` are its files."""

    name: str
    title: str
    page: str
    text: str
    document: str
    sections: tuple[Section, ...]
    earlier: dict[str, list[Section]]

    @property
    def changed(self) -> list[Section]:
        """Its tables in which something is new, those of its archive last."""
        held = [*self.sections, *(each for old in self.earlier.values() for each in old)]
        return [each for each in held if each.changes]


def pages(sections: Iterable[Section], references: References) -> dict[str, str]:
    """Put the site together from its tables, in their order on each page.

    Args:
        sections: the tables of all suites in their order, archived ones among them.
        references: what others have published.
    """
    by_suite: dict[str, list[Section]] = {}
    for each in sections:
        by_suite.setdefault(slug(each.suite[0]), []).append(each)
    suites = [_suite(name, held) for name, held in by_suite.items()]
    made = {name: page(name, suites=suites) for name in (INDEX, CHANGES)}
    for suite in suites:
        made |= _suite_pages(suite, suites, references)
    return {f"{FOLDER}/{name}": text for name, text in made.items()}


def _suite(name: str, sections: Sequence[Section]) -> Suite:
    current, earlier = parted(sections)
    title = current[0].suite[1]
    files = page_name(name), f"{name}.md", f"{name}.json"
    return Suite(name, title, *files, tuple(current), earlier)


def _suite_pages(suite: Suite, suites: Sequence[Suite], references: References) -> dict[str, str]:
    shown = {"suite": suite, "suites": suites}
    left = _elsewhere(suite, references)
    made = {suite.page: page("suite.html", sections=suite.sections, elsewhere=left, **shown)}
    for name, held in suite.earlier.items():
        made[name] = page("archived.html", sections=held, here=name, **shown)
    return made


def _elsewhere(suite: Suite, references: References) -> list[Further]:
    """What others have published on datasets of which the page has no table."""
    shown = (each.dataset for each in suite.sections)
    return [
        reference_view(group) for group in references.elsewhere(suite.sections[0].suite[0], shown)
    ]
