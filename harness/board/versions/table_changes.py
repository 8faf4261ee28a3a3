"""Differences of a table from an earlier one: rules, entries, ranks, values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.board.standing.figures import UNKNOWN
from harness.board.standing.rows import seed_text
from harness.board.standing.table import Table
from harness.board.versions.value_changes import Shift, VersionedEntry, entries, match, shifts
from harness.records.documents import canonical_json, digest
from harness.records.record import Record

DIGITS = 12
"""Of a digest, as a table's head shows it."""


@dataclass(frozen=True)
class ChangedRule:
    """A rule that changed; None if there was none, or is none."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Turn:
    """A property of an entry that changed: its state, its seeds, its model."""

    entry: str
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Moved:
    """An entry whose rank changed; None if it has none."""

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
    """All differences of a table from an earlier one.

    Attributes:
        earlier, later: the tables.
        came, went: names of entries that only one of them has.
        superseded: empty unless both tables have the same rules, since under other rules every
            record is a new one.
    """

    earlier: Table
    later: Table
    rules: tuple[ChangedRule, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]
    superseded: tuple[Superseded, ...]
    turns: tuple[Turn, ...]
    moved: tuple[Moved, ...]
    shifts: tuple[Shift, ...]

    def __bool__(self) -> bool:
        """Return True if anything differs."""
        entries = self.came or self.went or self.superseded or self.turns
        return bool(self.rules or entries or self.moved or self.shifts)


def changes(table: Table, earlier: Table) -> Changes:
    """Compare a table with an earlier one of the same data, mostly of the version before."""
    pairs = match(entries(earlier), entries(table))
    both = [(was, now) for was, now in pairs if was and now]
    was, now = (
        (each.protocol.version, each.protocol.digest, each.dataset.lock)
        for each in (earlier, table)
    )
    same_rules = was == now
    return Changes(
        earlier,
        table,
        rules=rule_changes(earlier, table),
        came=tuple(now.name for was, now in pairs if now and not was),
        went=tuple(was.name for was, now in pairs if was and not now),
        superseded=tuple(_later_records(both)) if same_rules else (),
        turns=tuple(turn for was, now in both for turn in _turns(was, now)),
        moved=tuple(Moved(n.name, w.rank, n.rank) for w, n in both if w.rank != n.rank),
        shifts=tuple(shifts(pairs, earlier, table)),
    )


def _later_records(pairs: Iterable[tuple[VersionedEntry, VersionedEntry]]) -> Iterable[Superseded]:
    for was, now in pairs:
        before, after = _by_seed(was), _by_seed(now)
        seeds = [seed for seed in after if seed in before and after[seed] != before[seed]]
        if seeds:
            yield Superseded(now.name, tuple(seeds))


def _by_seed(entry: VersionedEntry) -> dict[int | None, list[Record]]:
    return {filed.record.seed: [part.record for part in filed.files] for filed in entry.row.filed}


def _turns(was: VersionedEntry, now: VersionedEntry) -> list[Turn]:
    before, after = _properties(was), _properties(now)
    return [
        Turn(now.name, what, before.get(what, "none"), after.get(what, "none"))
        for what in dict.fromkeys([*after, *before])
        if before.get(what) != after.get(what)
    ]


def _properties(entry: VersionedEntry) -> dict[str, str]:
    """Return the properties of an entry besides its numbers; of contents, a digest's start."""
    row, first = entry.row, entry.row.first
    parts = {"model": first.model, **({"loss": first.loss} if first.loss else {})}
    told = {"state": row.state, "trust": row.shown_trust if row.is_done else ""}
    if row.is_done:
        told["seeds"] = ", ".join(seed_text(record.seed) for record in row.results)
    for name, part in parts.items():
        told[f"{name} version"] = str(part.version)
        told[f"{name} fields"] = digest([part.adapter, part.fields])[:6]
    if first.recipe is not None:
        told["recipe"] = first.recipe_name or "without a name"
        told["recipe content"] = digest(first.recipe)[:6]
    return told | {"track": first.track}


def rule_changes(earlier: Table, later: Table) -> tuple[ChangedRule, ...]:
    """Return the rules in which two tables differ: the protocol's, then the data's."""
    before, after = rules(earlier), rules(later)
    names = list(dict.fromkeys([*after, *before]))
    found = [ChangedRule(name, before.get(name), after.get(name)) for name in names]
    return tuple(rule for rule in found if rule.before != rule.after)


def rules(table: Table) -> dict[str, Any]:
    """Return every rule of a table by its name."""
    protocol, data = table.protocol, table.dataset
    facts = {
        f"metric {name}: {key.replace('_', ' ')}": value
        for name, each in sorted(protocol.facts.items())
        for key, value in each.model_dump().items()
    }
    counts = {
        f"{split} {kind}": number
        for split, kinds in sorted(data.counts.items())
        for kind, number in sorted(kinds.items())
    }
    return {
        "suite": protocol.suite,
        "protocol version": protocol.version,
        "protocol digest": protocol.digest,
        "task": protocol.task,
        "primary metric": protocol.primary,
        **{f"parameter {key}": value for key, value in sorted(protocol.parameters.items())},
        **facts,
        "data lock": data.lock,
        "data pinned": data.pinned,
        "licence": data.licence,
        "unit resampled": data.unit,
        "folds": table.folds,
        **counts,
    }


def rule_texts(rule: ChangedRule) -> tuple[str, str]:
    """Return a rule before and after, as people read it."""
    short = rule.name in ("protocol digest", "data lock")
    before, after = _text(rule.before), _text(rule.after)
    return (before[:DIGITS], after[:DIGITS]) if short else (before, after)


def _text(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    whole = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if whole else canonical_json(value)
