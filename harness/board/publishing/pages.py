"""Pages and documents put together from the tables on them, and the index of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from harness.board.publishing.sheet import Sheet, archived, joined_document
from harness.board.standing.archive import UP
from harness.board.standing.numbers import counted
from harness.board.writing.markdown import escape, link, references_section
from harness.board.writing.references import References

SITE = "site/index.html"

_HOW = "Generated from `{records}` by `harness board build`: do not edit this page."

Earlier = Mapping[str, Sequence[Sheet]]
"""Tables of the archive by their pages, newest version first."""


def suite_texts(sheets: Iterable[Sheet], references: References) -> dict[str, str]:
    """The page and the document of one suite, and those of its archive, by their paths.

    Args:
        sheets: all tables of the suite.
        references: what others have published.
    """
    current, earlier = _parted(sheets)
    held = {current[0].page: current, **earlier}
    texts = {f"{page}.json": joined_document(tables) for page, tables in held.items()}
    pages = {page: _archive_page(current[0], tables) for page, tables in earlier.items()}
    pages[current[0].page] = _suite_page(current, earlier, references)
    return texts | {f"{page}.md": text for page, text in pages.items()}


def index_line(sheets: Iterable[Sheet]) -> str:
    """What the index says of one suite."""
    current, earlier = _parted(sheets)
    page, title = current[0].page, current[0].suite[1]
    held = f"{counted(len(current), 'table')}, {counted(sum(s.rows for s in current), 'row')}"
    data = sorted({sheet.dataset[1] for sheet in current})
    line = f"- {link(title, f'{page}.md')}: {escape(', '.join(data))} "
    line += f"({held}; {link('JSON', f'{page}.json')})"
    return line + (f"; earlier versions: {_links(earlier)}" if earlier else "")


def index(lines: Iterable[str]) -> str:
    """The index of all suites."""
    how = _HOW.format(records="records/")
    site = f"The same as pages that sort, filter and compare: {link('site', SITE)}."
    listed = "\n".join(lines) or "No records yet."
    return f"# Leaderboards\n\n{how}\n\n{listed}\n\n{site}\n"


def _parted(sheets: Iterable[Sheet]) -> tuple[list[Sheet], dict[str, list[Sheet]]]:
    """The tables of the suite's page, and those of each page of its archive, in their order."""
    ordered = sorted(sheets, key=lambda sheet: sheet.place)
    old = sorted((s for s in ordered if archived(s)), key=lambda s: (-s.version, s.place))
    earlier = {page: list(group) for page, group in groupby(old, lambda sheet: sheet.page)}
    return [sheet for sheet in ordered if not archived(sheet)], earlier


def _suite_page(current: Sequence[Sheet], earlier: Earlier, references: References) -> str:
    heading = f"# {escape(current[0].suite[1])}\n\n{_HOW.format(records='records/')}\n"
    versions = [f"Earlier versions: {_links(earlier)}.\n"] if earlier else []
    return "\n".join([heading, *versions, *(s.text for s in current), *_rest(current, references)])


def _rest(current: Sequence[Sheet], references: References) -> list[str]:
    """What others have published on datasets of which the page has no table."""
    shown = (sheet.dataset[0] for sheet in current)
    left = references_section(references.elsewhere(current[0].suite[0], shown))
    return [left] if left else []


def _archive_page(newer: Sheet, tables: Sequence[Sheet]) -> str:
    title, version = tables[0].suite[1], tables[0].version
    how = _HOW.format(records=f"{UP}records/")
    page = link("newer versions", f"{UP}{newer.page}.md")
    heading = f"# {escape(title)}: protocol {version}\n\n{how}\n\n"
    told = f"These tables are kept as they were made; there are {page} of each.\n"
    return "\n".join([heading + told, *(sheet.text for sheet in tables)])


def _links(earlier: Earlier) -> str:
    """Each archived version with its document."""
    return ", ".join(
        f"{link(f'protocol {tables[0].version}', f'{page}.md')} ({link('JSON', f'{page}.json')})"
        for page, tables in earlier.items()
    )
