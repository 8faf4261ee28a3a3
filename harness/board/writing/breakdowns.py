"""A table's primary metric in parts of the test: one grid a breakdown, a column or line a group."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.board.standing.figures import UNKNOWN, Figure, plural
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.writing.grids import (
    Cell,
    Column,
    Grid,
    cell,
    entry_column,
    metric_cell,
)
from harness.metrics.significance import MIN_UNITS_FOR_RANKS
from harness.records.details_schema import Breakdown, Details, Group, GroupMetric

FEW = "°"
"""Marks a group that is too small for its figures to be trusted."""

WIDEST = 8
"""Of more groups, each is a line instead of a column."""

FEW_TARGETS = 30
"""With fewer target trials a group is marked, as their miss rates move in steps of 3 % and more."""


def breakdown_grids(table: Table, details: Mapping[str, Details]) -> list[tuple[Grid, list[str]]]:
    """Return the breakdowns that entries of a table have, each with its footnotes.

    Args:
        table: the table.
        details: path of a record, as it is filed -> the details beside it.
    """
    held = [_details(row, details) for row in table.rows]
    names = dict.fromkeys(name for row in held for each in row for name in each.breakdowns)
    return [(_grid(table, held, name), _notes(table, held, name)) for name in names]


def _details(row: Row, details: Mapping[str, Details]) -> list[Details]:
    """Return the details of a row's records; none unless every seed has some."""
    if not row.is_done or any(filed.parts for filed in row.filed):
        return []
    found = [details.get(filed.path) for filed in row.filed]
    known = [each for each in found if each is not None]
    return known if len(known) == len(found) else []


def _grid(table: Table, held: Sequence[Sequence[Details]], name: str) -> Grid:
    told = [[each.breakdowns[name] for each in row if name in each.breakdowns] for row in held]
    groups = _groups(each for row in told for each in row)
    kept = [place for place, row in enumerate(told) if row]
    names = entry_column(table)
    entries = Column(names.title, tuple(names.cells[place] for place in kept), numeric=False)
    shown = [told[place] for place in kept]
    columns = [_column(table, shown, group) for group in groups.values()]
    facts = table.facts[table.protocol.primary]
    title = next(row[0].title for row in shown)
    grid = Grid((entries, *columns), f"{facts.title} {facts.unit}".rstrip() + f" by {title}")
    return grid if len(columns) <= WIDEST else _transpose(grid, title)


def _transpose(grid: Grid, first: str) -> Grid:
    """Return the same with a line a group: so many columns could not be read."""
    entries, *groups = grid.columns
    columns = [
        Column(str(head), tuple(group.cells[place] for group in groups))
        for place, head in enumerate(entries.cells)
    ]
    named = Column(first, tuple(cell(group.title) for group in groups), numeric=False)
    return Grid((named, *columns), grid.title)


def _column(table: Table, rows: Sequence[Sequence[Breakdown]], group: Group) -> Column:
    """Return a group's figures; its head counts its units, with a mark if they are few."""
    unit, few = table.dataset.unit, f" {FEW}" * is_small(group)
    cells = (_group_cell(table, row, group.name) for row in rows)
    return Column(f"{group.name} ({plural(group.units, unit)}){few}", tuple(cells))


def is_small(group: Group) -> bool:
    """Check if a group has so few units, or target trials, that its figures say little."""
    if group.units < MIN_UNITS_FOR_RANKS:
        return True
    own = group.targets is not None and group.against != "all targets"
    return own and (group.targets or 0) < FEW_TARGETS


def _group_cell(table: Table, row: Sequence[Breakdown], group: str) -> Cell:
    primary = table.protocol.primary
    parts = [part for each in row for part in each.groups if part.name == group]
    found = [estimate for part in parts if (estimate := part.metrics.get(primary))]
    if not found or len(found) < len(row):
        return Cell(UNKNOWN)
    return metric_cell(_figure(found), table.facts[primary])


def _figure(found: Sequence[GroupMetric]) -> Figure:
    """Return the mean over the seeds, as tables have it."""
    values = [each.value for each in found]
    low, high = _mean(found, lambda each: each.low), _mean(found, lambda each: each.high)
    spread = statistics.stdev(values) if len(values) > 1 else None
    return Figure(statistics.fmean(values), low, high, spread, len(values))


def _mean(
    found: Sequence[GroupMetric], read: Callable[[GroupMetric], float | None]
) -> float | None:
    known = [value for each in found if (value := read(each)) is not None]
    return statistics.fmean(known) if len(known) == len(found) else None


def _groups(breakdowns: Iterable[Breakdown]) -> dict[str, Group]:
    """Return the groups of all entries, in the order that the rule gives them."""
    found: dict[str, Group] = {}
    for each in breakdowns:
        for group in each.groups:
            found.setdefault(group.name, group)
    return found


def _notes(table: Table, held: Sequence[Sequence[Details]], name: str) -> list[str]:
    told = [each.breakdowns[name] for row in held for each in row if name in each.breakdowns]
    groups = _groups(told).values()
    notes = [f"Of a group are {told[0].rule.rstrip('.')}."]
    notes += [_against(side, groups) for side in ("all targets", "all nontargets")]
    if any(is_small(group) for group in groups):
        trials = any(group.targets is not None for group in groups)
        few = f"{MIN_UNITS_FOR_RANKS} {table.dataset.unit}s"
        few += f" or {FEW_TARGETS} target trials" * trials
        notes.append(f"{FEW}: fewer than {few}, too few to tell entries apart.")
    untold = max(each.untold for each in told)
    if untold:
        notes.append(f"Not shown: {plural(untold, 'smaller group')}.")
    return [note for note in notes if note]


def _against(side: str, groups: Iterable[Group]) -> str:
    """Name the groups of which one side of the trials is the whole test's."""
    named = [group.name for group in groups if group.against == side]
    return f"Against {side} of the test: {', '.join(named)}." if named else ""
