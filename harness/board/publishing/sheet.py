"""One table as it is published: its section of a page, its part of a document, its pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.board.names import slug
from harness.board.pictures.plots import plots
from harness.board.site.sections import Section
from harness.board.site.sections import section as site_section
from harness.board.standing.archive import UP, archive_page, family, from_archive, newest
from harness.board.standing.table import Table, table_key
from harness.board.versions.changelog import change_log, log_entries
from harness.board.writing.document import document
from harness.board.writing.markdown import section
from harness.board.writing.references import References
from harness.records.details_schema import Details

TABLES = "tables"
"""Under which a document holds its tables."""


@dataclass(frozen=True)
class Beside:
    """What pages show beside the records.

    Attributes:
        details: record's path relative to the folder of published tables -> its companion.
        references: what others have published.
        suites: names of suites, in the order in which indexes list them.
    """

    details: Mapping[str, Details] = field(default_factory=dict)
    references: References = References()  # noqa: RUF009
    suites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A table, rendered.

    Attributes:
        place: by which the tables of a page are ordered.
        page: path of its page and document, without their endings.
        version: of its protocol.
        suite: name and title of its suite.
        dataset: name and title of its dataset.
        rows: how many it has.
        text: its section of the page.
        content: its part of the document, as JSON.
        frame: the document without its tables, the same of all on a page.
        plots: pictures -> what each shows.
        site: the same for the site.
    """

    place: tuple[str, int, str, str, str, str]
    page: str
    version: int
    suite: tuple[str, str]
    dataset: tuple[str, str]
    rows: int
    text: str
    content: str
    frame: dict[str, Any]
    plots: dict[str, dict[str, Any]]
    site: Section


def sheets(tables: Sequence[Table], beside: Beside) -> Iterator[Sheet]:
    """Render the tables of a family, or of several: the newest versions, and the archived ones."""
    last = newest(tables)
    for table in tables:
        archived = table.protocol.version < last[family(table)]
        yield _sheet(table, tables, beside, archived=archived)


def archived(sheet: Sheet) -> bool:
    """Whether a newer version of the table is on the suite's page."""
    return sheet.page != slug(sheet.suite[0])


def joined_document(suite: Sequence[Sheet]) -> str:
    """The document of a page, from those of its tables."""
    frame = _json(suite[0].frame)
    content = ",\n".join(sheet.content for sheet in suite)
    # A quotation mark within a text of the document is escaped, so this is the key and no other.
    return frame.replace(f'\n "{TABLES}": []', f'\n "{TABLES}": [\n{content}\n ]', 1) + "\n"


def _sheet(table: Table, tables: Sequence[Table], beside: Beside, *, archived: bool) -> Sheet:
    protocol, data, drawn = table.protocol, table.dataset, plots(table)
    up = UP if archived else ""
    shown = from_archive(table) if archived else table
    details = {f"{up}{path}": each for path, each in beside.details.items()}
    references = () if archived else beside.references.beside(table)
    pictures = {where: f"{up}{path}" for where, (path, _) in drawn.items()}
    told = document([shown], None if archived else beside.references)
    entries = log_entries(table, tables)
    log = "".join(f"\n{block}\n" for block in change_log(entries))
    return Sheet(
        place=table_key(table),
        page=archive_page(protocol.suite, protocol.version) if archived else slug(protocol.suite),
        version=protocol.version,
        suite=(protocol.suite, protocol.suite_title or protocol.suite),
        dataset=(data.name, data.title or data.name),
        rows=len(table.rows),
        text=section(shown, pictures, references, details) + log,
        content=_indented(_json(told[TABLES][0])),
        frame=told | {TABLES: []},
        plots=dict(drawn.values()),
        site=site_section(table, beside.details, beside.references, entries, archived=archived),
    )


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)


def _indented(text: str) -> str:
    """As deep as a table stands in its document; no text of a document spans lines."""
    return "\n".join(f"  {line}" for line in text.split("\n"))
