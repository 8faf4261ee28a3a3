"""Differences between two sets of published tables: versions of a suite, folders, git revisions."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.board.git_tree import read_revision
from harness.board.record_paths import slug
from harness.board.record_store import RECORDS, families, load
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import (
    Family,
    Table,
    family,
    nearest_table,
    table_key,
    tables,
)
from harness.board.versions.changelog import change_blocks, changes_document
from harness.board.versions.table_changes import Changes, changes
from harness.board.writing.captions import title
from harness.board.writing.markdown import escape
from harness.errors import RequestError, nearest

SCHEMA = 1

GIT = "git:"

_VERSION = re.compile(r"(?P<suite>.+)@(?P<version>-?\d+)")

FORMS = "give SUITE@VERSION, a folder of published tables, or git:REVISION"


@dataclass(frozen=True)
class BoardVersion:
    """One side of a comparison: published tables, or one suite's of one version.

    Attributes:
        name: as it was asked for.
        folder: of the tables.
        suite: the one suite asked for; empty for all.
        version: of that suite's protocol.
    """

    name: str
    folder: Path
    suite: str = ""
    version: int | None = None

    @cached_property
    def families(self) -> Mapping[Family, list[Path]]:
        """The records' files by family, of the one suite if one was asked for."""
        found = families(self.folder)
        if not self.suite:
            return found
        return {key: files for key, files in found.items() if slug(key[0]) == slug(self.suite)}

    def filed(self, family: Family) -> list[FiledRecord]:
        """Return the records of a family; only those of the version asked for."""
        held = load(self.folder, self.families.get(family, []))
        return [
            each for each in held.filed() if self.version in (None, each.record.protocol.version)
        ]

    def tables(self, family: Family) -> list[Table]:
        """Return the tables of a family; only those of the version asked for."""
        return tables(self.filed(family))


@contextmanager
def side(asked: str, folder: Path) -> Iterator[BoardVersion]:
    """Open one side of a comparison; records of a revision are in a temporary folder meanwhile.

    Args:
        asked: `git:REVISION`, a folder of published tables, or `SUITE@VERSION`.
        folder: the published tables, of which revisions and versions are.

    Raises:
        RequestError: it is none of these.
    """
    if asked.startswith(GIT):
        with tempfile.TemporaryDirectory(prefix="tables-") as temporary:
            read_revision(asked.removeprefix(GIT), folder, Path(temporary))
            yield BoardVersion(asked, Path(temporary))
    elif Path(asked).is_dir():
        if not (Path(asked) / RECORDS).is_dir():
            raise RequestError(f"{asked}: holds no published records (no folder {RECORDS}/)")
        yield BoardVersion(asked, Path(asked))
    else:
        yield _version(asked, folder)


def _version(asked: str, folder: Path) -> BoardVersion:
    found = _VERSION.fullmatch(asked)
    if not found:
        raise RequestError(f"{asked}: no such tables; {FORMS}")
    suite, version = found["suite"], int(found["version"])
    suites = {key[0] for key in families(folder)}
    if slug(suite) not in {slug(each) for each in suites}:
        raise RequestError(f"{asked}: {folder} has no suite {suite!r}; {nearest(suite, suites)}")
    whole = BoardVersion(asked, folder, suite)
    records = [each.record for key in whole.families for each in whole.filed(key)]
    known = {record.protocol.version for record in records}
    if version not in known:
        told = ", ".join(map(str, sorted(known)))
        raise RequestError(f"{asked}: {suite} has no protocol version {version}; known: {told}")
    return replace(whole, version=version)


@dataclass(frozen=True)
class TableDifference:
    """A table that changed, that came (no earlier one), or that went (no later one)."""

    earlier: Table | None
    later: Table | None
    told: Changes | None

    @property
    def table(self) -> Table:
        """The later table, else the earlier one."""
        found = self.later or self.earlier
        if found is None:
            raise TypeError("a difference between no tables")
        return found


def differences(before: BoardVersion, after: BoardVersion) -> Iterator[TableDifference]:
    """Return every table that differs, one family after the other.

    If both sides are a version of one suite, tables of one profile and dataset are compared, so
    that two suites can be compared too. If one side is, only that suite is compared.

    Raises:
        RequestError: a file among the records is not a record.
    """
    sides = _of_same_suite(before, after), _of_same_suite(after, before)
    keys = _by_key(sides[0]), _by_key(sides[1])
    for key in sorted(keys[0].keys() | keys[1].keys()):
        old, new = (
            side.tables(known[key]) if key in known else []
            for side, known in zip(sides, keys, strict=True)
        )
        for earlier, later in pair_tables(old, new):
            told = changes(later, earlier) if earlier and later else None
            if told is None or told:
                yield TableDifference(earlier, later, told)


def pair_tables(
    before: Sequence[Table], after: Sequence[Table]
) -> list[tuple[Table | None, Table | None]]:
    """Pair the tables of one family before and after.

    A table of new rules is compared with the newest earlier one; one of several budgets only with
    one of its own.
    """
    known = {_version_key(table): table for table in before}
    pairs: list[tuple[Table | None, Table | None]] = []
    for table in after:
        version = table.protocol.version
        same = [each for each in before if each.budget == table.budget or not table.is_point]
        older = [each for each in same if each.protocol.version <= version] or same
        pairs.append((known.get(_version_key(table)) or nearest_table(table, older), table))
    used = {_version_key(earlier) for earlier, _ in pairs if earlier}
    return pairs + [(table, None) for table in before if _version_key(table) not in used]


def diff_text(before: BoardVersion, after: BoardVersion, found: Iterable[TableDifference]) -> str:
    """Return differences as a page of Markdown."""
    heading = f"# Changes from {escape(before.name)} to {escape(after.name)}"
    blocks = [block for each in found for block in _section(each)]
    return "\n\n".join([heading, *(blocks or ["Nothing changed."])]) + "\n"


def diff_document(
    before: BoardVersion, after: BoardVersion, found: Iterable[TableDifference]
) -> dict[str, Any]:
    """Return differences as plain JSON types, the schema number first; rates are fractions."""
    tables = [_document(each) for each in found]
    return {"schema": SCHEMA, "before": before.name, "after": after.name, "tables": tables}


def _of_same_suite(side: BoardVersion, other: BoardVersion) -> BoardVersion:
    """Return a side, limited to the other's suite if it has none itself."""
    return replace(side, suite=other.suite) if other.suite and not side.suite else side


def _by_key(side: BoardVersion) -> dict[tuple[str, ...], Family]:
    """Return the families of a side by the key that the other side's may share."""
    return {key[1:] if side.suite else key: key for key in side.families}


def _version_key(table: Table) -> tuple[Any, ...]:
    """Return the key that identifies a table within its family."""
    return table_key(table)[1:]


def _section(found: TableDifference) -> list[str]:
    table = found.table
    suite = table.protocol.suite_title or table.protocol.suite
    heading = f"## {escape(f'{suite}: {title(table)}')}"
    if found.told:
        return [heading, *change_blocks(found.told)]
    names = "; ".join(dict.fromkeys(table.labels))
    said = "New table" if found.later else "No longer there"
    return [heading, f"- {escape(f'{said}: {names}')}."]


def _document(found: TableDifference) -> dict[str, Any]:
    suite, profile, dataset = family(found.table)
    told = found.told
    return {
        "suite": suite,
        "profile": profile,
        "dataset": dataset,
        "before": _table_document(found.earlier),
        "after": _table_document(found.later),
        "changes": changes_document(told) if told else None,
    }


def _table_document(table: Table | None) -> dict[str, Any] | None:
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
