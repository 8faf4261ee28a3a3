"""What differs between two sets of published tables, table by table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.board.standing.archive import Family, family, nearest_table
from harness.board.standing.table import Table, table_key
from harness.board.versions.changelog import change_blocks, changes_document
from harness.board.versions.changes import Changes, changes
from harness.board.versions.sides import Side
from harness.board.writing.head import title
from harness.board.writing.markdown import escape

SCHEMA = 1


@dataclass(frozen=True)
class Difference:
    """A table that is not what it was, that came (no earlier one), or that went (no later one)."""

    earlier: Table | None
    later: Table | None
    told: Changes | None

    @property
    def table(self) -> Table:
        """The table as it is, else as it was."""
        found = self.later or self.earlier
        if found is None:
            raise TypeError("a difference between no tables")
        return found


def differences(before: Side, after: Side) -> Iterator[Difference]:
    """Every table that differs, one family after the other.

    Where both sides are a version of one suite, tables are of each other that share profile and
    dataset, so that two suites can be compared too. Where one is, only that suite is compared.

    Raises:
        RequestError: a file among the records is not a record.
    """
    sides = _narrowed(before, after), _narrowed(after, before)
    keys = _by_key(sides[0]), _by_key(sides[1])
    for key in sorted(keys[0].keys() | keys[1].keys()):
        old, new = (
            side.tables(known[key]) if key in known else []
            for side, known in zip(sides, keys, strict=True)
        )
        for earlier, later in paired(old, new):
            told = changes(later, earlier) if earlier and later else None
            if told is None or told:
                yield Difference(earlier, later, told)


def paired(
    before: Sequence[Table], after: Sequence[Table]
) -> list[tuple[Table | None, Table | None]]:
    """Tables of one family, as they were and as they are.

    A table of new rules is held against the newest of before.
    """
    known = {_own(table): table for table in before}
    pairs: list[tuple[Table | None, Table | None]] = []
    for table in after:
        version = table.protocol.version
        older = [each for each in before if each.protocol.version <= version] or before
        pairs.append((known.get(_own(table)) or nearest_table(table, older), table))
    used = {_own(earlier) for earlier, _ in pairs if earlier}
    return pairs + [(table, None) for table in before if _own(table) not in used]


def diff_text(before: Side, after: Side, found: Iterable[Difference]) -> str:
    """Differences as a page of Markdown."""
    heading = f"# Changes from {escape(before.name)} to {escape(after.name)}"
    blocks = [block for each in found for block in _section(each)]
    return "\n\n".join([heading, *(blocks or ["Nothing changed."])]) + "\n"


def diff_document(before: Side, after: Side, found: Iterable[Difference]) -> dict[str, Any]:
    """Differences as plain JSON types, the schema number first; rates are fractions."""
    tables = [_document(each) for each in found]
    return {"schema": SCHEMA, "before": before.name, "after": after.name, "tables": tables}


def _narrowed(side: Side, other: Side) -> Side:
    """A side, of the other's one suite where it is not of one itself."""
    return replace(side, suite=other.suite) if other.suite and not side.suite else side


def _by_key(side: Side) -> dict[tuple[str, ...], Family]:
    """The families of a side by what the other side's may share with them."""
    return {key[1:] if side.suite else key: key for key in side.families}


def _own(table: Table) -> tuple[Any, ...]:
    """What tells tables of one family apart."""
    return table_key(table)[1:]


def _section(found: Difference) -> list[str]:
    table = found.table
    suite = table.protocol.suite_title or table.protocol.suite
    heading = f"## {escape(f'{suite}: {title(table)}')}"
    if found.told:
        return [heading, *change_blocks(found.told)]
    names = "; ".join(dict.fromkeys(table.labels))
    said = "New table" if found.later else "No longer there"
    return [heading, f"- {escape(f'{said}: {names}')}."]


def _document(found: Difference) -> dict[str, Any]:
    suite, profile, dataset = family(found.table)
    told = found.told
    return {
        "suite": suite,
        "profile": profile,
        "dataset": dataset,
        "before": _named(found.earlier),
        "after": _named(found.later),
        "changes": changes_document(told) if told else None,
    }


def _named(table: Table | None) -> dict[str, Any] | None:
    if table is None:
        return None
    protocol = table.protocol
    return {
        "suite": protocol.suite,
        "version": protocol.version,
        "digest": protocol.digest,
        "lock": table.dataset.lock,
        "entries": list(dict.fromkeys(table.labels)),
    }
