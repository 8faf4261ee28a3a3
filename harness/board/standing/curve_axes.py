"""The curves of some tables: over budgets, and over a number that a suite names of its datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.board.standing.curve import TablesCurve
from harness.board.standing.table import Table, family, table_key


@dataclass(frozen=True)
class DatasetAxis:
    """A number of a suite's datasets, over which its tables are read as a curve.

    Attributes:
        name: the key of the datasets' tables in the benchmark file.
        levels: dataset -> its number.
    """

    name: str
    levels: Mapping[str, float]


NO_AXES: Mapping[str, DatasetAxis] = {}


def curves_of(
    tables: Sequence[Table], axes: Mapping[str, DatasetAxis] = NO_AXES
) -> list[TablesCurve]:
    """Return the curves of some tables: over budgets, and over a number of datasets.

    Of a dataset with tables of several data or rules under one version of the protocol, the one
    of the most rows is on the curve. Tables in which nothing is compared give none.

    Args:
        tables: those of a suite whose datasets have an axis together.
        axes: suite -> the number of its datasets.
    """
    over_budgets = [_over_budgets(end, tables) for end in tables if end.is_endpoint]
    groups: dict[tuple[str, int, str], dict[str, Table]] = {}
    for table in sorted(tables, key=lambda each: (len(each.rows), table_key(each))):
        suite, _, dataset = family(table)
        if suite in axes and dataset in axes[suite].levels and not table.is_point:
            groups.setdefault(table_key(table)[:3], {})[dataset] = table
    several = [groups[key] for key in sorted(groups) if len(groups[key]) > 1]
    found = [*over_budgets, *(_over_datasets(group, axes) for group in several)]
    return [curve for curve in found if curve.lines]


def _over_budgets(end: Table, tables: Sequence[Table]) -> TablesCurve:
    """Return the curve of the tables that differ from an endpoint in the budget alone."""
    held = {each.budget or 0: each for each in tables if each.is_point and each.rules == end.rules}
    levels = sorted(held)
    return TablesCurve(tuple(held[level] for level in levels), tuple(levels))


def _over_datasets(group: Mapping[str, Table], axes: Mapping[str, DatasetAxis]) -> TablesCurve:
    """Return the curve of a suite's tables, one of each dataset."""
    axis = axes[next(iter(group.values())).protocol.suite]
    datasets = sorted(group, key=lambda dataset: axis.levels[dataset])
    levels = (axis.levels[dataset] for dataset in datasets)
    return TablesCurve(
        tuple(group[each] for each in datasets), tuple(map(_plain, levels)), axis.name
    )


def _plain(level: float) -> float:
    """Return a whole number as one: it is written without a point."""
    return int(level) if level == int(level) else level
