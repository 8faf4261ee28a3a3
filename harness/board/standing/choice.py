"""The records that the rows of a table are made of: of each entry those with the best evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final

from harness.board.standing.rows import FiledRecord, original_trust
from harness.records.documents import digest
from harness.records.record import Record, Trust
from harness.records.record_files import to_document

EVIDENCE: Final[tuple[Trust, ...]] = ("claimed", "rescored", "measured", "reproduced")
"""The words of trust, by the evidence behind them: the least first."""


@dataclass(frozen=True)
class Choice:
    """The records of one table that its rows are made of, and those that they are not made of.

    Attributes:
        kept: one of each entry, seed and fold.
        older: those whose places later ones took, from old to new.
        weaker: those that came later, or of other seeds, and whose evidence is less than that of
            the entry; from old to new.
    """

    kept: tuple[FiledRecord, ...]
    older: tuple[FiledRecord, ...]
    weaker: tuple[FiledRecord, ...]


def choose(filed: Iterable[FiledRecord]) -> Choice:
    """Choose the records that the rows of one table are made of; no order depends on theirs.

    An entry's row is made of its records of the best trust alone: a claim beside a measurement, or
    a seed that nobody can check beside those that somebody did, is passed over. Of one seed and
    fold the most trusted record counts, the last of several.
    """
    groups: dict[Hashable, list[FiledRecord]] = defaultdict(list)
    for each in filed:
        groups[names_of(each.record)].append(each)
    kept, older, weaker = list[FiledRecord](), list[FiledRecord](), list[FiledRecord]()
    for group in groups.values():
        done = [each for each in group if each.record.state == "done"] or group
        best = max(level_of(each.record) for each in done)
        places: dict[Hashable, list[FiledRecord]] = defaultdict(list)
        for each in group:
            places[place_of(each.record)].append(each)
        for place in places.values():
            *others, last = sorted(place, key=strength_of) if len(place) > 1 else place
            if level_of(last.record) < best:
                weaker += [*others, last]
                continue
            kept.append(last)
            for each in others:
                (older if _age(each) < _age(last) else weaker).append(each)
    return Choice(tuple(kept), tuple(sorted(older, key=_age)), tuple(sorted(weaker, key=_age)))


def before_last(kept: Iterable[FiledRecord], older: Iterable[FiledRecord]) -> list[FiledRecord]:
    """Return the records that were kept before the last ones took the places of older ones.

    Args:
        kept, older: as `choose` returns them.
    """
    last = {(names_of(each.record), place_of(each.record)): each for each in older}
    return [last.get((names_of(each.record), place_of(each.record)), each) for each in kept]


def names_of(record: Record) -> tuple[Hashable, ...]:
    """Return the names by which a table knows an entry, whatever their content.

    A figure that was filed as a claim is a row of its own beside an entry of its name.
    """
    is_claim = record.submission is not None and record.submission.made_from == "claim"
    loss = record.loss.name if record.loss else None
    return record.model.name, loss, record.recipe_name, is_claim


def place_of(record: Record) -> tuple[Hashable, ...]:
    """Return the seed and fold, of which an entry has one record in its row."""
    return record.seed, record.dataset.fold.index if record.dataset.fold else None


def level_of(record: Record) -> int:
    """Return the evidence behind a record, where one that was made again counts as measured.

    A row is made of records of one level; that some of its seeds were made again sets none apart.
    """
    return EVIDENCE.index(original_trust(record))


def strength_of(filed: FiledRecord) -> tuple[int, tuple[str, int, str, str]]:
    """Return the sort key of an entry's records of one seed and fold; the last one counts."""
    return EVIDENCE.index(filed.record.trust), _age(filed)


def _age(filed: FiledRecord) -> tuple[str, int, str, str]:
    record = filed.record
    return record.ended, record.attempt, digest(to_document(record)), filed.path
