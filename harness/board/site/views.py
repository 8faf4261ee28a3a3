"""What the templates show of a table: its section on a page, its few lines on the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.board.names import slug
from harness.board.site.columns import Column, as_shown, columns
from harness.board.site.data import row_keys, table_data
from harness.board.site.groups import Rows, groups
from harness.board.standing.numbers import heading, with_interval
from harness.board.standing.table import Table
from harness.board.versions.changelog import LogEntry
from harness.board.writing.breakdowns import breakdown_grids
from harness.board.writing.efficiency import efficiencies, efficiency_grid, efficiency_notes
from harness.board.writing.footnotes import footnotes
from harness.board.writing.grid import Grid
from harness.board.writing.head import head, title
from harness.board.writing.layout import cost_grids, failure
from harness.board.writing.references import ReferenceGroup
from harness.board.writing.referencetables import reference_grid, reference_notes
from harness.records.details_schema import Details
from harness.records.documents import digest

LEADERS = 3
"""How many of the best entries of a table the index names."""


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
        muted: whether its figures were not made here.
        columns: its columns; the first one names its rows.
        numbers: the rows of the main table that its rows are of; None of another's.
        notes: what is to be read with it.
    """

    title: str
    muted: bool
    columns: tuple[Column, ...]
    numbers: tuple[int | None, ...]
    notes: list[str]


@dataclass(frozen=True)
class View:
    """A table on its page.

    Attributes:
        key: digits by which links to a state of the page name it.
        anchor: where it stands on its page.
        title: its heading.
        head: labels and texts above it.
        source: where its data come from; empty where that is no address.
        columns: of the table.
        groups: its rows, those of one kind together.
        keys: names of its rows in links.
        names: names of its rows for readers.
        reasons: why rows have no result.
        costs: a table for each environment, where the main one does not hold them.
        efficiency: the trade-offs as tables.
        parts: the primary metric in parts of the test.
        references: what others have published on its dataset.
        footnotes: what its readers must know.
        data: what the page's program knows of it.
    """

    key: str
    anchor: str
    title: str
    head: list[tuple[str, str]]
    source: str
    columns: list[Column]
    groups: list[Rows]
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
class Change:
    """What is new in a table since an earlier one, as the change log shows it."""

    title: str
    lines: tuple[str, ...]
    tables: tuple[Further, ...]
    notes: tuple[str, ...]


def table_view(
    table: Table, details: Mapping[str, Details], references: Sequence[ReferenceGroup]
) -> View:
    """A table as its page shows it."""
    source, found = table.dataset.source, efficiencies(table)
    return View(
        key=_key(table),
        anchor=_anchor(table),
        title=title(table),
        head=head(table),
        source=source if source.startswith("https://") else "",
        columns=columns(table),
        groups=groups(table),
        keys=row_keys(table),
        names=table.labels,
        reasons=["" if row.done else failure(row) for row in table.rows],
        costs=[_of_rows(table, each) for each in cost_grids(table)],
        efficiency=[
            _of_rows(table, efficiency_grid(table, each), efficiency_notes(table, each))
            for each in found
        ],
        parts=[_of_rows(table, *each) for each in breakdown_grids(table, details)],
        references=[reference_view(group) for group in references],
        footnotes=footnotes(table),
        data=table_data(table, details),
    )


def reference_view(group: ReferenceGroup) -> Further:
    """What others have published on one dataset."""
    grid = reference_grid(group)
    return _further(grid, (None,) * len(grid.lines), reference_notes(group))


def change_view(entry: LogEntry) -> Change:
    """An entry of the change log."""
    made = [_further(grid, (None,) * len(grid.lines), ()) for grid in entry.grids]
    return Change(entry.title, entry.lines, tuple(map(_unfixed, made)), entry.notes)


def summary(table: Table) -> Summary:
    """A table as the index shows it."""
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
    """A grid whose first column names rows of the table; they are filtered with those."""
    entries = ["".join(piece.text for piece in cell) for cell in grid.columns[0].cells]
    return _further(grid, tuple(table.numbers.get(entry) for entry in entries), notes)


def _further(grid: Grid, numbers: tuple[int | None, ...], notes: Sequence[str]) -> Further:
    return Further(grid.title, grid.muted, tuple(map(as_shown, grid.columns)), numbers, list(notes))


def _unfixed(table: Further) -> Further:
    """The table without a column of ranks that stays in place when it is scrolled."""
    columns = (replace(each, key=f"changed-{each.key}") for each in table.columns)
    return replace(table, columns=tuple(columns))


def _leader(table: Table, number: int) -> Leader:
    facts = table.facts[table.protocol.primary]
    value = with_interval(table.rows[number].figure(table.protocol.primary), facts)
    return Leader(table.labels[number], table.ranking.ranks[number], value)


def _key(table: Table) -> str:
    """Digits that tell the table apart from all others, and stay as long as its rules do."""
    protocol, dataset = table.protocol, table.dataset
    rules = [protocol.suite, protocol.profile, protocol.version, protocol.digest]
    return digest([*rules, dataset.name, dataset.lock, table.folds])[:8]


def _anchor(table: Table) -> str:
    protocol = table.protocol
    return f"{slug(table.dataset.name)}-{slug(protocol.profile)}-{protocol.version}-{_key(table)}"
