"""Which tables stand on their suite's page, and which have moved to its archive.

Of each suite, profile and dataset the newest protocol version is on the page. Older versions are
pages of their own below `archive/`, made from their records like any other, for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.board.names import slug
from harness.board.standing.rows import Filed, Row
from harness.board.standing.table import Table
from harness.records.record import Record

FOLDER = "archive"

UP = "../"
"""From a page of the archive to the folder that records and pictures are named in."""

Family = tuple[str, str, str]
"""Suite, profile and dataset: what all versions of a table share."""


def family_of(record: Record) -> Family:
    """The family of the table that a record is in; a fold is in that of its dataset."""
    protocol, dataset = record.protocol, record.dataset
    name = dataset.fold.of if dataset.fold else dataset.name
    return protocol.suite, protocol.profile, name


def family(table: Table) -> Family:
    """What all versions of the table share."""
    return family_of(table.rows[0].records[0])


def newest(tables: Iterable[Table]) -> dict[Family, int]:
    """The newest protocol version of each family."""
    found: dict[Family, int] = {}
    for table in tables:
        key, version = family(table), table.protocol.version
        found[key] = max(version, found.get(key, version))
    return found


def previous(table: Table, tables: Iterable[Table]) -> Table | None:
    """The table of the protocol version before this one's; None where there is none.

    Where that version has several tables it is the one on the same data, of the most rows.

    Args:
        table: the table.
        tables: those to choose from; those of other families or newer versions are passed over.
    """
    own = family(table)
    older = [
        each
        for each in tables
        if family(each) == own and each.protocol.version < table.protocol.version
    ]
    return nearest_table(table, older)


def nearest_table(table: Table, tables: Sequence[Table]) -> Table | None:
    """Of the newest of some tables, the one on the same data, else that of the most rows."""
    last = max((each.protocol.version for each in tables), default=None)

    def merit(each: Table) -> tuple[bool, bool, int, str, str]:
        same = each.dataset.lock == table.dataset.lock
        rules = each.protocol.digest == table.protocol.digest
        return same, rules, len(each.rows), each.protocol.digest, each.dataset.lock

    return max((each for each in tables if each.protocol.version == last), key=merit, default=None)


def archive_page(suite: str, version: int) -> str:
    """The path, without its ending, of a suite's archived version.

    >>> archive_page("Speaker", 2)
    'archive/speaker-v2'
    """
    return f"{FOLDER}/{slug(suite)}-v{version}"


def from_archive(table: Table) -> Table:
    """The same table, its records named as a page of the archive links to them."""
    rows = tuple(Row(tuple(_moved(filed) for filed in row.filed)) for row in table.rows)
    return replace(table, rows=rows)


def _moved(filed: Filed) -> Filed:
    path = f"{UP}{filed.path}" if filed.path else ""
    return replace(filed, path=path, parts=tuple(_moved(part) for part in filed.parts))
