"""Tables: one suite, profile, dataset, protocol version, protocol digest and data lock each.

Of several budgets each has a table of its own; all folds of a dataset share one. Tables that differ
in version, digest or lock alone are a family: the newest version is on its suite's page, older ones
are pages of their own below `archive/`, made from their records like any other, for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from harness.board.record_paths import slug
from harness.board.standing.budgets import by_budget
from harness.board.standing.choice import Choice, before_last, choose
from harness.board.standing.fold_join import join_folds
from harness.board.standing.rows import FiledRecord, Row, arrange, join, labels
from harness.board.standing.table_ranks import TableRanks, rank
from harness.errors import RequestError
from harness.records.record import Data, MetricFacts, Protocol, Record

FOLDER = "archive"

UP = "../"
"""From a page of the archive to the folder that records and pictures are named in."""

TableKey = tuple[str, int, str, str, str, str, int]

Place = tuple[bool, int, TableKey]
"""The sort key of a page's tables."""

Family = tuple[str, str, str]
"""Suite, profile and dataset: what all versions of a table share."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows that may be compared, best first, with their ranks.

    Attributes:
        rows: the entries; those claimed come after the others, those that failed last.
        ranking: ranks in the order of `rows`.
        older: records of the same entries and seeds that others took the places of, from old to
            new.
        weaker: records of the same entries that are passed over, as the evidence behind them is
            less than behind the entries' others; from old to new.
        budget: crops that each matched training saw; None if that is not known.
        budgets: those of all tables that differ in nothing else, the smallest first.
        honest: of a table whose test holds copies of training data, that of the dataset without
            them; None of another table, and where there is none.
    """

    rows: tuple[Row, ...]
    ranking: TableRanks
    older: tuple[FiledRecord, ...] = ()
    weaker: tuple[FiledRecord, ...] = ()
    budget: int | None = None
    budgets: tuple[int, ...] = ()
    honest: Table | None = None

    @property
    def rules(self) -> tuple[str, int, str, str, str, str]:
        """The key that tables which differ in their budgets alone share."""
        return key_of(self.rows[0].records[0])

    @property
    def is_point(self) -> bool:
        """True if it is one point of a curve over several budgets."""
        return len(self.budgets) > 1

    @property
    def is_endpoint(self) -> bool:
        """True if it is the table of the largest of several budgets."""
        return self.is_point and self.budget == self.budgets[-1]

    @property
    def superseded(self) -> int:
        """Number of older records of the same entries and seeds that were passed over."""
        return len(self.older)

    @property
    def protocol(self) -> Protocol:
        """The rules that all rows share."""
        return self.rows[0].first.protocol

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The name of each row, so that entries of one name can be told apart."""
        return tuple(labels(self.rows))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Name of a row -> its number; the first of several rows of one name."""
        return {name: number for number, name in reversed(list(enumerate(self.labels)))}

    @cached_property
    def dataset(self) -> Data:
        """The data that all rows share, without what single rows left out."""
        whole = [r.dataset for row in self.rows for r in row.results if not r.dataset.left_out]
        return whole[0] if whole else self.rows[0].first.dataset

    @property
    def folds(self) -> int | None:
        """Number of folds by which its rows are judged; None if all data are judged at once."""
        fold = self.records[0].dataset.fold
        return fold.folds if fold else None

    @cached_property
    def records(self) -> list[Record]:
        """Every record behind the table, row by row."""
        return [record for row in self.rows for record in row.records]

    @cached_property
    def facts(self) -> dict[str, MetricFacts]:
        """The metrics that some row has, the primary first, in the order of the protocol's."""
        protocol = self.protocol
        by_order = sorted(protocol.facts.items(), key=lambda item: (item[1].order, item[0]))
        ordered = {protocol.primary: protocol.facts[protocol.primary], **dict(by_order)}
        recorded = {protocol.primary}.union(*(record.metrics for record in self.records))
        return {name: facts for name, facts in ordered.items() if name in recorded}


def tables(filed: Iterable[FiledRecord]) -> list[Table]:
    """Make every table of some records, newest protocol version first.

    Raises:
        RequestError: a protocol does not say how its primary metric is to be sorted.
    """
    ordered = sorted(filed, key=lambda each: key_of(each.record))
    groups = groupby(ordered, lambda each: key_of(each.record))
    made = [table for _, group in groups for table in _tables(choose(group))]
    return [
        replace(table, honest=_honest(table, made)) if table.dataset.leaks else table
        for table in made
    ]


def _honest(table: Table, tables: Sequence[Table]) -> Table | None:
    """Return the table that a leaky one is held against; None if it is not there."""
    suite, profile, _ = family(table)
    wanted = suite, profile, table.dataset.leaks
    same = [each for each in tables if family(each) == wanted and each.budget == table.budget]
    return nearest_table(table, same)


def table_before(table: Table) -> Table | None:
    """Return the table before its last records took the places of older ones; None if none did."""
    if not table.older:
        return None
    kept = [part for row in table.rows for filed in row.filed for part in filed.files]
    before = _table(choose(before_last(kept, table.older)), table.budget)
    return replace(before, budgets=table.budgets)


def _tables(chosen: Choice) -> list[Table]:
    """Return the table of each budget, the largest first."""
    made = [_table(part, budget) for budget, part in by_budget(chosen)]
    budgets = tuple(sorted(table.budget for table in made if table.budget is not None))
    return [replace(table, budgets=budgets) for table in made]


def _table(chosen: Choice, budget: int | None) -> Table:
    first = chosen.kept[0].record
    protocol = first.protocol
    for told in (each.record.protocol for each in chosen.kept):
        if told.primary not in told.facts:
            raise RequestError(
                f"{told.suite}: no facts of its primary metric {told.primary!r} in the record; "
                "give the task's protocol a MetricFacts for it"
            )
    better = protocol.facts[protocol.primary].higher_is_better
    rows = arrange(join(join_folds(chosen.kept)), protocol.primary, higher_is_better=better)
    ranking = rank(rows, protocol, first.dataset.unit)
    return Table(tuple(rows), ranking, chosen.older, chosen.weaker, budget)


def table_key(table: Table) -> TableKey:
    """Return the key that identifies and orders tables: newest protocol version first.

    Of tables that differ in their budgets alone, the largest budget's comes first.
    """
    return (*table.rules, -(table.budget or 0))


def page_place(table: Table) -> Place:
    """Return the sort key of a page's tables: those of recorded data, on many units, come first."""
    units = table.dataset.counts.get("test", {}).get("units", 0)
    return table.dataset.synthetic, -units, table_key(table)


def key_of(record: Record) -> tuple[str, int, str, str, str, str]:
    """Return the key of a record's tables, one for each budget; all folds of a dataset share it."""
    protocol, dataset = record.protocol, record.dataset
    rules = protocol.suite, -protocol.version, protocol.profile
    fold = dataset.fold
    if fold is None:
        return (*rules, dataset.name, protocol.digest, dataset.lock)
    return (*rules, fold.of, fold.protocol, f"{fold.lock} in {fold.folds} folds")


def family_of(record: Record) -> Family:
    """Return the family of the table that a record is in; a fold is in that of its dataset."""
    protocol, dataset = record.protocol, record.dataset
    name = dataset.fold.of if dataset.fold else dataset.name
    return protocol.suite, protocol.profile, name


def rendered_with(family: Family, leaks: str) -> Family:
    """Return the family that a record's table is made beside: an honest one's of a leaky one.

    Args:
        family: the record's own.
        leaks: the dataset that its own has copies of; empty for most.
    """
    return (*family[:2], leaks) if leaks else family


def family(table: Table) -> Family:
    """Return suite, profile and dataset, which all versions of the table share."""
    return family_of(table.rows[0].records[0])


def newest(tables: Iterable[Table]) -> dict[Family, int]:
    """Return the newest protocol version of each family."""
    found: dict[Family, int] = {}
    for table in tables:
        key, version = family(table), table.protocol.version
        found[key] = max(version, found.get(key, version))
    return found


def previous(table: Table, tables: Iterable[Table]) -> Table | None:
    """Return the table of the protocol version before this one's; None if there is none.

    If that version has several tables it is the one on the same data, of the most rows.

    Args:
        table: the table.
        tables: the candidates; those of other families or newer versions are passed over.
    """
    own = family(table)
    older = [
        each
        for each in tables
        if family(each) == own
        and each.protocol.version < table.protocol.version
        and (each.budget == table.budget or not table.is_point)
    ]
    return nearest_table(table, older)


def nearest_table(table: Table, tables: Sequence[Table]) -> Table | None:
    """Return, of the newest of some tables, the one on the same data, else of the most rows."""
    last = max((each.protocol.version for each in tables), default=None)

    def merit(each: Table) -> tuple[bool, bool, int, str, str]:
        same = each.dataset.lock == table.dataset.lock
        rules = each.protocol.digest == table.protocol.digest
        return same, rules, len(each.rows), each.protocol.digest, each.dataset.lock

    return max((each for each in tables if each.protocol.version == last), key=merit, default=None)


def archive_page(suite: str, version: int) -> str:
    """Return the path, without its ending, of a suite's archived version.

    >>> archive_page("Speaker", 2)
    'archive/speaker-v2'
    """
    return f"{FOLDER}/{slug(suite)}-v{version}"


def from_archive(table: Table) -> Table:
    """Return the same table, its records named as a page of the archive links to them."""
    rows = tuple(Row(tuple(_from_archive(filed) for filed in row.filed)) for row in table.rows)
    return replace(table, rows=rows)


def _from_archive(filed: FiledRecord) -> FiledRecord:
    path = f"{UP}{filed.path}" if filed.path else ""
    return replace(filed, path=path, parts=tuple(map(_from_archive, filed.parts)))
