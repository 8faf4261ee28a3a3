"""What a table says that an earlier one did not: rules, entries, ranks, values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.board.standing.table import Table
from harness.board.versions.matching import Entry, entries, match
from harness.board.versions.rules import Rule, changed_rules
from harness.board.versions.shifts import Shift, shifts
from harness.records.documents import digest
from harness.records.record import Record


@dataclass(frozen=True)
class Turn:
    """What is told of an entry, where it is not what it was: its state, its seeds, its model."""

    entry: str
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Moved:
    """An entry of another rank; None where it has none."""

    entry: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Superseded:
    """An entry of which later records took the places of earlier ones, and of which seeds."""

    entry: str
    seeds: tuple[int | None, ...]


@dataclass(frozen=True)
class Changes:
    """All in which a table differs from an earlier one.

    Attributes:
        earlier, later: the tables.
        came, went: names of entries that only one of them has.
        superseded: told only where both tables have the same rules, since under other rules every
            record is a new one.
    """

    earlier: Table
    later: Table
    rules: tuple[Rule, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]
    superseded: tuple[Superseded, ...]
    turns: tuple[Turn, ...]
    moved: tuple[Moved, ...]
    shifts: tuple[Shift, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        entries = self.came or self.went or self.superseded or self.turns
        return bool(self.rules or entries or self.moved or self.shifts)


def changes(table: Table, earlier: Table) -> Changes:
    """Compare a table with an earlier one of the same data, mostly of the version before."""
    pairs = match(entries(earlier), entries(table))
    both = [(was, now) for was, now in pairs if was and now]
    same_rules = _rules_of(earlier) == _rules_of(table)
    return Changes(
        earlier,
        table,
        rules=changed_rules(earlier, table),
        came=tuple(now.name for was, now in pairs if now and not was),
        went=tuple(was.name for was, now in pairs if was and not now),
        superseded=tuple(_superseded(both)) if same_rules else (),
        turns=tuple(turn for was, now in both for turn in _turns(was, now)),
        moved=tuple(Moved(n.name, w.rank, n.rank) for w, n in both if w.rank != n.rank),
        shifts=tuple(shifts(pairs, earlier, table)),
    )


def _rules_of(table: Table) -> tuple[int, str, str]:
    return table.protocol.version, table.protocol.digest, table.dataset.lock


def _superseded(pairs: Iterable[tuple[Entry, Entry]]) -> Iterable[Superseded]:
    for was, now in pairs:
        before, after = _by_seed(was), _by_seed(now)
        seeds = [seed for seed in after if seed in before and after[seed] != before[seed]]
        if seeds:
            yield Superseded(now.name, tuple(seeds))


def _by_seed(entry: Entry) -> dict[int | None, list[Record]]:
    return {filed.record.seed: [part.record for part in filed.files] for filed in entry.row.filed}


def _turns(was: Entry, now: Entry) -> list[Turn]:
    before, after = _told(was), _told(now)
    return [
        Turn(now.name, what, before.get(what, "none"), after.get(what, "none"))
        for what in dict.fromkeys([*after, *before])
        if before.get(what) != after.get(what)
    ]


def _told(entry: Entry) -> dict[str, str]:
    """What is compared of an entry besides its numbers; of contents, the first of a digest."""
    row, first = entry.row, entry.row.first
    parts = {"model": first.model, **({"loss": first.loss} if first.loss else {})}
    told = {"state": row.state, "trust": row.trust if row.done else ""}
    if row.done:
        told["seeds"] = ", ".join("none" if r.seed is None else str(r.seed) for r in row.results)
    for name, part in parts.items():
        told[f"{name} version"] = str(part.version)
        told[f"{name} fields"] = digest([part.adapter, part.fields])[:6]
    if first.recipe is not None:
        told["recipe"] = first.recipe_name or "without a name"
        told["recipe content"] = digest(first.recipe)[:6]
    return told | {"track": first.track}
