"""Which entry of an earlier table is which of a later one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from harness.board.standing.rows import Row
from harness.board.standing.table import Table


@dataclass(frozen=True, eq=False)
class Entry:
    """A row with its name and its rank in its table."""

    row: Row
    name: str
    rank: int | None


Pair = tuple[Entry | None, Entry | None]
"""An entry as it was and as it is; None where it was not yet, or is no longer."""


def entries(table: Table) -> list[Entry]:
    """Each entry once, in the order of the table; a failed seed beside done ones is none."""
    found: dict[str, Entry] = {}
    for row, name, rank in zip(table.rows, table.labels, table.ranking.ranks, strict=True):
        found.setdefault(row.entry, Entry(row, name, rank))
    return list(found.values())


def match(earlier: Sequence[Entry], later: Sequence[Entry]) -> list[Pair]:
    """Pair entries of the same content; then those that alone have their name and recipe, or name.

    Returns:
        The later entries in their order, then the earlier ones that are gone.
    """
    was: dict[Entry, Entry] = {}
    for key in (_content, _recipe, _name):
        kept = set(was.values())
        there = _once(key, (each for each in earlier if each not in kept))
        here = _once(key, (each for each in later if each not in was))
        was |= {here[name]: there[name] for name in here if name in there}
    kept = set(was.values())
    gone: list[Pair] = [(each, None) for each in earlier if each not in kept]
    return [(was.get(each), each) for each in later] + gone


def _content(entry: Entry) -> Hashable:
    return entry.row.entry


def _recipe(entry: Entry) -> Hashable:
    first = entry.row.first
    return entry.row.name, first.recipe_name, first.track


def _name(entry: Entry) -> Hashable:
    return entry.row.name


def _once(key: Callable[[Entry], Hashable], given: Iterable[Entry]) -> dict[Hashable, Entry]:
    """The entries whose key no other has."""
    groups: dict[Hashable, list[Entry]] = defaultdict(list)
    for each in given:
        groups[key(each)].append(each)
    return {name: group[0] for name, group in groups.items() if len(group) == 1}
