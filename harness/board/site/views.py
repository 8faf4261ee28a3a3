"""Views of a table for the templates: its section on a page, its few lines on the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from harness.board.record_paths import slug
from harness.board.site.page_columns import PageColumn, columns, page_column
from harness.board.site.page_data import group_of, row_keys, table_data
from harness.board.site.templates import template
from harness.board.standing.curve import TablesCurve
from harness.board.standing.figures import heading, with_interval
from harness.board.standing.table import Table
from harness.board.versions.changelog import LogEntry
from harness.board.writing.axis_words import axis_words, curve_title
from harness.board.writing.breakdowns import breakdown_grids
from harness.board.writing.captions import folded_footnotes, head, title
from harness.board.writing.claims_text import claim_sentences
from harness.board.writing.curve_chart import curve_name, curve_path
from harness.board.writing.curve_text import crossing_grid, curve_grid, curve_notes
from harness.board.writing.efficiency import efficiencies, efficiency_grid, efficiency_notes
from harness.board.writing.entry_grids import cost_grids
from harness.board.writing.entry_notes import row_footnotes
from harness.board.writing.grids import Grid, failure
from harness.board.writing.recipe_claims_text import recipe_sentences
from harness.board.writing.reference_tables import reference_grid, reference_notes
from harness.board.writing.references import ReferenceGroup
from harness.board.writing.summary import curve_summary, table_summary
from harness.records.details_schema import Details
from harness.records.documents import digest

INDEX, CHANGES = "index.html", "changes.html"
"""Pages of all suites."""

LEADERS = 3
"""Number of the best entries of a table that the index names."""

GROUPS = {"results": "", "claimed": "Claimed: not checked here", "failed": "Without a result"}
"""Groups of a table's rows in their order on a page, with their titles."""


@dataclass(frozen=True)
class Leader:
    """One of a table's best entries, as the index names it."""

    name: str
    rank: int | None
    value: str


@dataclass(frozen=True)
class Summary:
    """A table in a few lines.

    Attributes:
        is_inner: True if it is a budget, and not the largest: the index leaves it out.
        curve: the anchor of the curve that stands above it; empty for another table.
    """

    anchor: str
    title: str
    metric: str
    rows: int
    failed: int
    units: str
    leaders: tuple[Leader, ...]
    told: str
    is_inner: bool
    curve: str


@dataclass(frozen=True)
class Further:
    """A further table: of the same entries, or of others.

    Attributes:
        title: its heading.
        muted: True if its figures were not made here.
        columns: its columns; the first one names its rows.
        numbers: the rows of the main table that its rows are of; None of another's.
        notes: its footnotes.
    """

    title: str
    muted: bool
    columns: tuple[PageColumn, ...]
    numbers: tuple[int | None, ...]
    notes: list[str]


@dataclass(frozen=True)
class CurveView:
    """A curve: its place, its title, what its picture shows and says, and its tables."""

    anchor: str
    title: str
    shown: str
    told: str
    picture: str
    tables: list[Further]


@dataclass(frozen=True)
class ChangeView:
    """Changes of a table since an earlier one, as the change log shows them."""

    title: str
    lines: tuple[str, ...]
    tables: tuple[Further, ...]
    notes: tuple[str, ...]


def section(
    table: Table,
    details: Mapping[str, Details],
    references: Sequence[ReferenceGroup],
    curve: TablesCurve | None = None,
    *,
    changed: bool,
) -> Markup:
    """Render a table as a section of its page.

    Args:
        table: the table; its records' paths are relative to the published folder.
        details: record's path -> the details beside it.
        references: published figures of others on its dataset.
        curve: that stands above the table; None for another table.
        changed: True if the change log has an entry of it.
    """
    source, held, keys = table.dataset.source, columns(table), row_keys(table)
    groups: dict[str, list[int]] = {group: [] for group in GROUPS}
    for number, row in enumerate(table.rows):
        groups[group_of(row)].append(number)
    text = template("section.html").render(
        key=_key(table),
        anchor=_anchor(table),
        title=title(table),
        told=table_summary(table),
        curve=curve_view(curve) if curve else None,
        head=head(table),
        source=source if source.startswith("https://") else "",
        changed=CHANGES if changed else "",
        columns=held,
        groups=[(group, GROUPS[group], rows) for group, rows in groups.items() if rows],
        keys=keys,
        reasons=["" if row.is_done else failure(row) for row in table.rows],
        costs=[_of_rows(table, each) for each in cost_grids(table)],
        efficiency=[
            _of_rows(table, efficiency_grid(table, each), efficiency_notes(table, each))
            for each in efficiencies(table)
        ],
        parts=[_of_rows(table, *each) for each in breakdown_grids(table, details)],
        references=[reference_view(group) for group in references],
        warnings=[
            *row_footnotes(table, brief=True),
            *claim_sentences(table),
            *recipe_sentences(table),
        ],
        footnotes=folded_footnotes(table),
        data=table_data(table, held, keys, details),
    )
    return Markup(text)


def curve_view(curve: TablesCurve) -> CurveView:
    """Return a curve as its page shows it."""
    crossings, name = crossing_grid(curve), curve_title(curve)
    return CurveView(
        anchor=curve_name(curve),
        title=name,
        shown=f"{name}, {axis_words(curve).alt}, as in the table below",
        told=curve_summary(curve),
        picture=curve_path(curve),
        tables=[
            _further(curve_grid(curve), curve_notes(curve)),
            *([_further(crossings)] if crossings.lines else []),
        ],
    )


def reference_view(group: ReferenceGroup) -> Further:
    """Return published figures of others on one dataset."""
    return _further(reference_grid(group), reference_notes(group))


def change_view(entry: LogEntry) -> ChangeView:
    """Return an entry of the change log."""
    # Under another key, a column of ranks does not stay in place when the table is scrolled.
    tables = (
        replace(each, columns=tuple(replace(c, key=f"changed-{c.key}") for c in each.columns))
        for each in map(_further, entry.grids)
    )
    return ChangeView(entry.title, entry.lines, tuple(tables), entry.notes)


def summary(table: Table, curve: TablesCurve | None = None) -> Summary:
    """Return a table as the index shows it; that of the largest budget tells of all budgets."""
    primary = table.protocol.primary
    facts, units = table.facts[primary], table.dataset.counts.get("test", {}).get("units")
    named = zip(table.rows, table.labels, table.ranking.ranks, strict=True)
    leaders = [
        Leader(name, rank, with_interval(row.figure(primary), facts))
        for row, name, rank in named
        if row.is_compared
    ]
    return Summary(
        anchor=_anchor(table),
        title=title(table),
        metric=heading(facts),
        rows=len(table.rows),
        failed=sum(not row.is_done for row in table.rows),
        units=f"{units:,} test {table.dataset.unit}s" if units else "",
        leaders=tuple(leaders[:LEADERS]),
        told=curve_summary(curve) if curve and table.is_point else table_summary(table),
        is_inner=table.is_point and not table.is_endpoint,
        curve=curve_name(curve) if curve else "",
    )


def _of_rows(table: Table, grid: Grid, notes: Sequence[str] = ()) -> Further:
    """Return a grid whose first column names rows of the table; they are filtered with those."""
    numbers = tuple(table.numbers.get(str(entry)) for entry in grid.columns[0].cells)
    return replace(_further(grid, notes), numbers=numbers)


def _further(grid: Grid, notes: Sequence[str] = ()) -> Further:
    columns = tuple(map(page_column, grid.columns))
    return Further(grid.title, grid.muted, columns, (None,) * len(grid.lines), list(notes))


def _key(table: Table) -> str:
    """Return digits that identify the table, and stay as long as its rules do."""
    protocol, dataset = table.protocol, table.dataset
    rules = [protocol.suite, protocol.profile, protocol.version, protocol.digest]
    rules += [table.budget] if table.is_point else []
    return digest([*rules, dataset.name, dataset.lock, table.folds])[:8]


def _anchor(table: Table) -> str:
    protocol = table.protocol
    rules = f"{slug(protocol.profile)}-{protocol.version}"
    at = f"-{table.budget}" * table.is_point
    return f"{slug(table.dataset.name)}-{rules}{at}-{_key(table)}"
