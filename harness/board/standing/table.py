"""Tables: one suite, profile, dataset, protocol version, protocol digest and data lock each.

All folds of a dataset share a table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from harness.board.standing.folds import join_folds
from harness.board.standing.labels import labels
from harness.board.standing.once import Once
from harness.board.standing.ranking import Ranking, rank
from harness.board.standing.rows import Filed, Row, arrange, before_last, join, latest
from harness.errors import RequestError
from harness.records.record import Data, MetricFacts, Protocol, Record


@dataclass(frozen=True)
class Table(Once):
    """Rows that may be compared, best first, with their ranks.

    Attributes:
        rows: the entries; those claimed come after the others, those that failed last.
        ranking: ranks in the order of `rows`.
        older: records of the same entries and seeds that others took the places of, from old to
            new.
    """

    rows: tuple[Row, ...]
    ranking: Ranking
    older: tuple[Filed, ...] = ()

    @property
    def superseded(self) -> int:
        """How many older records of the same entries and seeds were passed over."""
        return len(self.older)

    @property
    def protocol(self) -> Protocol:
        """The rules that all rows share."""
        return self.rows[0].first.protocol

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What each row is called, so that entries of one name can be told apart."""
        return tuple(labels(self.rows))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """What a row is called -> its number; of several that are called alike, the first."""
        return {name: number for number, name in reversed(list(enumerate(self.labels)))}

    @cached_property
    def dataset(self) -> Data:
        """The data that all rows share, without what single rows left out."""
        whole = [r.dataset for row in self.rows for r in row.results if not r.dataset.left_out]
        return whole[0] if whole else self.rows[0].first.dataset

    @property
    def folds(self) -> int | None:
        """By how many folds its rows are judged; None where it is by all of the data at once."""
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


def tables(filed: Iterable[Filed]) -> list[Table]:
    """Make every table that the records give, newest protocol version first.

    Raises:
        RequestError: a protocol does not say how its primary metric is to be sorted.
    """
    ordered = sorted(filed, key=lambda each: _key(each.record))
    return [_table(list(group)) for _, group in groupby(ordered, lambda each: _key(each.record))]


def table_before(table: Table) -> Table | None:
    """The table before its last records took the places of older ones; None where none did."""
    if not table.older:
        return None
    kept = [part for row in table.rows for filed in row.filed for part in filed.files]
    return _table(before_last(kept, table.older))


def _table(filed: list[Filed]) -> Table:
    protocol = filed[0].record.protocol
    if protocol.primary not in protocol.facts:
        raise RequestError(
            f"{protocol.suite}: no facts of its primary metric {protocol.primary!r} in the record; "
            "give the task's protocol a MetricFacts for it"
        )
    kept, older = latest(filed)
    better = protocol.facts[protocol.primary].higher_is_better
    rows = arrange(join(join_folds(kept)), protocol.primary, higher_is_better=better)
    return Table(tuple(rows), rank(rows, protocol, filed[0].record.dataset.unit), tuple(older))


def table_key(table: Table) -> tuple[str, int, str, str, str, str]:
    """By which tables are told apart and ordered: newest protocol version first."""
    return _key(table.rows[0].records[0])


def _key(record: Record) -> tuple[str, int, str, str, str, str]:
    protocol, dataset = record.protocol, record.dataset
    rules = protocol.suite, -protocol.version, protocol.profile
    fold = dataset.fold
    if fold is None:
        return (*rules, dataset.name, protocol.digest, dataset.lock)
    return (*rules, fold.of, fold.protocol, f"{fold.lock} in {fold.folds} folds")
