"""Which rows of a table stand together: what was found, what was claimed, what failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.board.standing.rows import Row
from harness.board.standing.table import Table

Group = Literal["results", "claimed", "failed"]

TITLES: dict[Group, str] = {
    "results": "",
    "claimed": "Claimed: not checked here",
    "failed": "Without a result",
}


@dataclass(frozen=True)
class Rows:
    """The rows of one group by their numbers in the table."""

    group: Group
    title: str
    numbers: tuple[int, ...]


def group_of(row: Row) -> Group:
    """The group that a row belongs to."""
    if not row.done:
        return "failed"
    return "claimed" if row.claimed else "results"


def groups(table: Table) -> list[Rows]:
    """The groups that have rows; within each the table's own order."""
    found = [
        (group, [i for i, r in enumerate(table.rows) if group_of(r) == group]) for group in TITLES
    ]
    return [Rows(group, TITLES[group], tuple(numbers)) for group, numbers in found if numbers]
