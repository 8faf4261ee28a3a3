"""Views of a table for the templates: its section on a page, its few lines on the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.board.record_paths import slug
from harness.board.site.page_columns import PageColumn, columns, page_column
from harness.board.site.page_data import group_of, row_keys, table_data
from harness.board.standing.figures import heading, with_interval
from harness.board.standing.table import Table
from harness.board.versions.changelog import LogEntry
from harness.board.writing.breakdowns import breakdown_grids
from harness.board.writing.captions import footnotes, head, title
from harness.board.writing.efficiency import efficiencies, efficiency_grid, efficiency_notes
from harness.board.writing.grids import Grid, cost_grids, failure
from harness.board.writing.reference_tables import reference_grid, reference_notes
from harness.board.writing.references import ReferenceGroup
from harness.records.canonical import digest
from harness.records.details import Details

LEADERS = 3
"""Number of the best entries of a table that the index names."""

GROUPS = {"results": "", "claimed": "Claimed: not checked here", "failed": "Without a result"}
"""Groups of a table's rows in their order on a page, with their titles."""


@dataclass(frozen=True)
class RowGroup:
    """The rows of one group by their numbers in the table."""

    group: str
    title: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Leader:
    """One of a table's best entries, as the index names it."""

    name: str
    rank: int | None
    value: str


@dataclass(frozen=True)
class Summary:
    """A table in a few lines."""

    anchor: str
    title: str
    metric: str
    rows: int
    failed: int
    units: str
    leaders: tuple[Leader, ...]


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
class View:
    """A table on its page.

    Attributes:
        key: digits by which links to a state of the page name it.
        anchor: its place on its page.
        title: its heading.
        head: labels and texts above it.
        source: the address of its data; empty if it has none.
        columns: of the table.
        groups: its rows, those of one kind together.
        keys: names of its rows in links.
        names: names of its rows for readers.
        reasons: why rows have no result.
        costs: a table for each environment, unless the main one holds them.
        efficiency: the trade-offs as tables.
        parts: the primary metric in parts of the test.
        references: published figures of others on its dataset.
        footnotes: notes that its readers need.
        data: for the page's program.
    """

    key: str
    anchor: str
    title: str
    head: list[tuple[str, str]]
    source: str
    columns: list[PageColumn]
    groups: list[RowGroup]
    keys: list[str]
    names: tuple[str, ...]
    reasons: list[str]
    costs: list[Further]
    efficiency: list[Further]
    parts: list[Further]
    references: list[Further]
    footnotes: list[str]
    data: dict[str, Any]


@dataclass(frozen=True)
class ChangeView:
    """Changes of a table since an earlier one, as the change log shows them."""

    title: str
    lines: tuple[str, ...]
    tables: tuple[Further, ...]
    notes: tuple[str, ...]


def table_view(
    table: Table, details: Mapping[str, Details], references: Sequence[ReferenceGroup]
) -> View:
    """Return a table as its page shows it."""
    source, held, keys = table.dataset.source, columns(table), row_keys(table)
    return View(
        key=_key(table),
        anchor=_anchor(table),
        title=title(table),
        head=head(table),
        source=source if source.startswith("https://") else "",
        columns=held,
        groups=_groups(table),
        keys=keys,
        names=table.labels,
        reasons=["" if row.done else failure(row) for row in table.rows],
        costs=[_of_rows(table, each) for each in cost_grids(table)],
        efficiency=[
            _of_rows(table, efficiency_grid(table, each), efficiency_notes(table, each))
            for each in efficiencies(table)
        ],
        parts=[_of_rows(table, *each) for each in breakdown_grids(table, details)],
        references=[reference_view(group) for group in references],
        footnotes=footnotes(table),
        data=table_data(table, held, keys, details),
    )


def reference_view(group: ReferenceGroup) -> Further:
    """Return published figures of others on one dataset."""
    grid = reference_grid(group)
    return _further(grid, (None,) * len(grid.lines), reference_notes(group))


def change_view(entry: LogEntry) -> ChangeView:
    """Return an entry of the change log."""
    made = (_further(grid, (None,) * len(grid.lines), ()) for grid in entry.grids)
    # Under another key, a column of ranks does not stay in place when the table is scrolled.
    tables = (
        replace(each, columns=tuple(replace(c, key=f"changed-{c.key}") for c in each.columns))
        for each in made
    )
    return ChangeView(entry.title, entry.lines, tuple(tables), entry.notes)


def _groups(table: Table) -> list[RowGroup]:
    """Return the groups that have rows; within each the table's own order."""
    numbers: dict[str, list[int]] = {group: [] for group in GROUPS}
    for number, row in enumerate(table.rows):
        numbers[group_of(row)].append(number)
    return [RowGroup(each, GROUPS[each], tuple(held)) for each, held in numbers.items() if held]


def summary(table: Table) -> Summary:
    """Return a table as the index shows it."""
    best = [number for number, row in enumerate(table.rows) if row.compared]
    units = table.dataset.counts.get("test", {}).get("units")
    return Summary(
        anchor=_anchor(table),
        title=title(table),
        metric=heading(table.facts[table.protocol.primary]),
        rows=len(table.rows),
        failed=sum(not row.done for row in table.rows),
        units=f"{units:,} test {table.dataset.unit}s" if units else "",
        leaders=tuple(_leader(table, number) for number in best[:LEADERS]),
    )


def _of_rows(table: Table, grid: Grid, notes: Sequence[str] = ()) -> Further:
    """Return a grid whose first column names rows of the table; they are filtered with those."""
    numbers = tuple(table.numbers.get(str(entry)) for entry in grid.columns[0].cells)
    return _further(grid, numbers, notes)


def _further(grid: Grid, numbers: tuple[int | None, ...], notes: Sequence[str]) -> Further:
    return Further(
        grid.title, grid.muted, tuple(map(page_column, grid.columns)), numbers, list(notes)
    )


def _leader(table: Table, number: int) -> Leader:
    facts = table.facts[table.protocol.primary]
    value = with_interval(table.rows[number].figure(table.protocol.primary), facts)
    return Leader(table.labels[number], table.ranking.ranks[number], value)


def _key(table: Table) -> str:
    """Return digits that identify the table, and stay as long as its rules do."""
    protocol, dataset = table.protocol, table.dataset
    rules = [protocol.suite, protocol.profile, protocol.version, protocol.digest]
    return digest([*rules, dataset.name, dataset.lock, table.folds])[:8]


def _anchor(table: Table) -> str:
    protocol = table.protocol
    return f"{slug(table.dataset.name)}-{slug(protocol.profile)}-{protocol.version}-{_key(table)}"
