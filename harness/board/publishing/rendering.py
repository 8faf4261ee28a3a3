"""Render tables a family at a time, by several processes if there are many records."""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from markupsafe import Markup

from harness.board.record_paths import slug
from harness.board.record_store import load, refuse
from harness.board.site.views import ChangeView, Summary, change_view, summary
from harness.board.site.views import section as page_section
from harness.board.standing.curve import TablesCurve
from harness.board.standing.curve_axes import DatasetAxis, curves_of
from harness.board.standing.table import (
    UP,
    Family,
    Place,
    Table,
    archive_page,
    family,
    from_archive,
    newest,
    page_place,
    tables,
)
from harness.board.versions.changelog import change_log, log_entries
from harness.board.writing.charts import holds_plot, plots, write_plot
from harness.board.writing.curve_chart import curve_data, curve_path
from harness.board.writing.json_document import document
from harness.board.writing.markdown import CURVE, section
from harness.board.writing.references import References
from harness.errors import RequestError
from harness.health.training_end import TrainingEnd
from harness.measure.device import cores
from harness.records.details_schema import Details
from harness.records.signature import Signers

MANY = 4000
"""Number of records from which on further processes are worth their start."""

TABLES = "tables"
"""The key of the tables in a document."""


@dataclass(frozen=True)
class Beside:
    """Content of pages besides the records.

    Attributes:
        details: record's path relative to the folder of published tables -> its companion.
        references: published figures of others.
        suites: names of suites, in the order in which indexes list them.
        axes: suite -> the number of its datasets over which its tables are a curve.
        unseen: paths of the records that a signature alone carries.
        ends: record's path -> how its training ended.
    """

    details: Mapping[str, Details] = field(default_factory=dict)
    references: References = References()  # noqa: RUF009
    suites: tuple[str, ...] = ()
    axes: Mapping[str, DatasetAxis] = field(default_factory=dict)
    unseen: Set[str] = frozenset()
    ends: Mapping[str, TrainingEnd] = field(default_factory=dict)


@dataclass(frozen=True)
class RenderedTable:
    """A table as it is published: its section of a page, its part of a document, its pictures.

    Attributes:
        place: sort key of the tables of a page.
        page: path of its page and document, without their endings.
        version: of its protocol.
        suite: name and title of its suite.
        dataset: name and title of its dataset.
        rows: number of its rows.
        text: its section of the page.
        content: its part of the document, as JSON.
        frame: the document without its tables, the same of all on a page.
        plots: pictures -> their data.
        html: its section of a page of the site.
        summary: a few lines of it, for the site.
        changes: its part of the site's change log.
    """

    place: Place
    page: str
    version: int
    suite: tuple[str, str]
    dataset: tuple[str, str]
    rows: int
    text: str
    content: str
    frame: dict[str, Any]
    plots: dict[str, dict[str, Any]]
    html: Markup
    summary: Summary
    changes: tuple[ChangeView, ...]

    @property
    def is_archived(self) -> bool:
        """True if a newer version of the table is on the suite's page."""
        return self.page != slug(self.suite[0])


def render_tables(tables: Sequence[Table], beside: Beside) -> Iterator[RenderedTable]:
    """Render the tables of a family, or of several: the newest versions, and the archived ones.

    Those of a suite whose datasets have an axis are to be rendered together.
    """
    last = newest(tables)
    curves = {curve.host: curve for curve in curves_of(tables, beside.axes)}
    for table in tables:
        archived = table.protocol.version < last[family(table)]
        yield _render(table, tables, beside, curves.get(table), archived=archived)


def _render(
    table: Table,
    tables: Sequence[Table],
    beside: Beside,
    curve: TablesCurve | None,
    *,
    archived: bool,
) -> RenderedTable:
    protocol, data, drawn = table.protocol, table.dataset, plots(table)
    if curve is not None:
        drawn[CURVE] = curve_path(curve), curve_data(curve)
    up = UP if archived else ""
    shown = from_archive(table) if archived else table
    details = {f"{up}{path}": each for path, each in beside.details.items()}
    references = [] if archived else beside.references.beside(table)
    pictures = {where: f"{up}{path}" for where, (path, _) in drawn.items()}
    told = document(
        [shown], None if archived else beside.references, [curve] if curve is not None else ()
    )
    entries = log_entries(table, tables)
    log = "".join(f"\n{block}\n" for block in change_log(entries))
    return RenderedTable(
        place=page_place(table),
        page=archive_page(protocol.suite, protocol.version) if archived else slug(protocol.suite),
        version=protocol.version,
        suite=(protocol.suite, protocol.suite_title or protocol.suite),
        dataset=(data.name, data.title or data.name),
        rows=len(table.rows),
        text=section(shown, pictures, references, details, curve) + log,
        # As deep as a table stands in its document; no text of a document spans lines.
        content="\n".join(f"  {line}" for line in _json(told[TABLES][0]).split("\n")),
        frame=told | {TABLES: []},
        plots=dict(drawn.values()),
        html=page_section(table, beside.details, references, curve, changed=bool(entries)),
        summary=summary(table, curve),
        changes=tuple(map(change_view, entries)),
    )


def join_documents(suite: Sequence[RenderedTable]) -> str:
    """Return the document of a page, from those of its tables."""
    content = ",\n".join(each.content for each in suite)
    # A quotation mark within a text of the document is escaped, so this is the key and no other.
    joined = f'\n "{TABLES}": [\n{content}\n ]'
    return _json(suite[0].frame).replace(f'\n "{TABLES}": []', joined, 1) + "\n"


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)


@contextmanager
def workers(records: int) -> Iterator[Executor | None]:
    """Start as many processes as there are processors; None if one process will do."""
    processes = cores()
    if records < MANY or processes < 2:
        yield None
        return
    context = get_context("spawn")  # what a fork would copy may hold locks
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield pool


def render_families(
    folder: Path,
    families: Mapping[Family, list[Path]],
    told: Beside,
    signers: Signers,
    pool: Executor | None,
) -> Iterator[tuple[list[RenderedTable], dict[str, str]]]:
    """Render the tables of a published folder, of which one family at a time is in memory.

    Families that are read as one curve are together.

    Args:
        folder: the published tables.
        families: the records by their families.
        told: what pages hold besides the records and the files beside these.
        signers: those whose signatures count.
        pool: further processes that render; None for this one alone.

    Returns:
        For each family its tables, and the sha256 of each file that they were made of.

    Raises:
        RequestError: files among the records are not records, or lack facts or hold impossible
            numbers; raised after the last family, with those of all families.
    """
    job, wrong = partial(_render_family, folder, told, signers), []
    together = _together(families, told.axes)
    for rendered in pool.map(job, together) if pool else map(job, together):
        if isinstance(rendered, str):
            wrong.append(rendered)
        else:
            yield rendered
    refuse(wrong)


def _together(
    families: Mapping[Family, list[Path]], axes: Mapping[str, DatasetAxis]
) -> list[list[Path]]:
    """Return the files of each family, those of a suite and profile together if it has an axis."""
    found: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for (suite, profile, dataset), files in families.items():
        found[(suite, profile) if suite in axes else (suite, profile, dataset)] += files
    return list(found.values())


def _render_family(
    folder: Path, told: Beside, signers: Signers, files: list[Path]
) -> tuple[list[RenderedTable], dict[str, str]] | str:
    """Return a family's tables and the hashes of its files, or why they cannot be made."""
    enabled = gc.isenabled()
    gc.disable()  # The search for circles walks all records again and again and finds none.
    try:
        held = load(folder, files, signers)
        made = tables(held.filed())
        return list(render_tables(made, replace(told, details=held.details))), held.contents
    except RequestError as error:
        return str(error)
    finally:
        if enabled:
            gc.enable()


def draw_pictures(pictures: Mapping[Path, dict[str, Any]], pool: Executor | None) -> list[Path]:
    """Draw the pictures that do not show their data yet.

    Returns:
        The files drawn.
    """
    undrawn = {path: data for path, data in pictures.items() if not holds_plot(path, data)}
    list((pool.map if pool else map)(write_plot, undrawn, undrawn.values()))
    return list(undrawn)
