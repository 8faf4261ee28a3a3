"""Pages and documents assembled from the tables on them, and the index of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from harness.board.publishing.rendering import RenderedTable, join_documents
from harness.board.standing.figures import plural
from harness.board.standing.table import UP
from harness.board.writing.markdown import escape, link, references_section
from harness.board.writing.references import References

SITE = "site/index.html"

_HOW = "Generated from `{records}` by `harness board build`: do not edit this page."

Earlier = Mapping[str, Sequence[RenderedTable]]
"""Tables of the archive by their pages, newest version first."""


def suite_texts(made: Iterable[RenderedTable], references: References) -> dict[str, str]:
    """Return the page and the document of one suite, and those of its archive, by their paths.

    Args:
        made: all tables of the suite.
        references: published figures of others.
    """
    current, earlier = _by_page(made)
    held = {current[0].page: current, **earlier}
    texts = {f"{page}.json": join_documents(tables) for page, tables in held.items()}
    pages = {page: _archive_page(current[0], tables) for page, tables in earlier.items()}
    pages[current[0].page] = _suite_page(current, earlier, references)
    return texts | {f"{page}.md": text for page, text in pages.items()}


def index_line(made: Iterable[RenderedTable]) -> str:
    """Return the index's line of one suite."""
    current, earlier = _by_page(made)
    page, title = current[0].page, current[0].suite[1]
    held = f"{plural(len(current), 'table')}, {plural(sum(s.rows for s in current), 'row')}"
    data = sorted({each.dataset[1] for each in current})
    line = f"- {link(title, f'{page}.md')}: {escape(', '.join(data))} "
    line += f"({held}; {link('JSON', f'{page}.json')})"
    return line + (f"; earlier versions: {_links(earlier)}" if earlier else "")


def index(lines: Iterable[str]) -> str:
    """Return the index of all suites."""
    how = _HOW.format(records="records/")
    site = f"The same as pages that sort, filter and compare: {link('site', SITE)}."
    listed = "\n".join(lines) or "No records yet."
    return f"# Leaderboards\n\n{how}\n\n{listed}\n\n{site}\n"


def _by_page(
    made: Iterable[RenderedTable],
) -> tuple[list[RenderedTable], dict[str, list[RenderedTable]]]:
    """Return the tables of the suite's page, and of each page of its archive, in their order."""
    ordered = sorted(made, key=lambda each: each.place)
    old = sorted((s for s in ordered if s.is_archived), key=lambda s: (-s.version, s.place))
    earlier = {page: list(group) for page, group in groupby(old, lambda each: each.page)}
    return [each for each in ordered if not each.is_archived], earlier


def _suite_page(current: Sequence[RenderedTable], earlier: Earlier, references: References) -> str:
    heading = f"# {escape(current[0].suite[1])}\n\n{_HOW.format(records='records/')}\n"
    versions = [f"Earlier versions: {_links(earlier)}.\n"] if earlier else []
    shown = (each.dataset[0] for each in current)
    left = references_section(references.elsewhere(current[0].suite[0], shown))
    return "\n".join([heading, *versions, *(s.text for s in current), *([left] if left else [])])


def _archive_page(newer: RenderedTable, tables: Sequence[RenderedTable]) -> str:
    title, version = tables[0].suite[1], tables[0].version
    how = _HOW.format(records=f"{UP}records/")
    page = link("newer versions", f"{UP}{newer.page}.md")
    heading = f"# {escape(title)}: protocol {version}\n\n{how}\n\n"
    told = f"These tables are kept as they were made; there are {page} of each.\n"
    return "\n".join([heading + told, *(each.text for each in tables)])


def _links(earlier: Earlier) -> str:
    """Return links to each archived version and its document."""
    return ", ".join(
        f"{link(f'protocol {tables[0].version}', f'{page}.md')} ({link('JSON', f'{page}.json')})"
        for page, tables in earlier.items()
    )
