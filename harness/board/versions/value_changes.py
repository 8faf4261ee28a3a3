"""Changes of values between two tables: entries are matched, and each change is tested.

An entry is compared with its earlier self as two entries of one table are: paired on the test units
that both were judged on, by the metric without each of them, Holm-corrected over all entries whose
value changed. Networks that were judged again, and not trained again, have no spread of seeds in
this.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from harness.board.standing.figures import six_digits
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.standing.table_ranks import seed_spread, values_by_unit
from harness.metrics.seed_spread import SeedSpread
from harness.metrics.significance import MIN_UNITS_FOR_RANKS, can_rank, change_p_values
from harness.metrics.significance import ComparedEntry as PairedValues

ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class VersionedEntry:
    """A row with its name and its rank in its table."""

    row: Row
    name: str
    rank: int | None


Pair = tuple[VersionedEntry | None, VersionedEntry | None]
"""An entry as it was and as it is; None if it was not yet there, or is gone."""


def entries(table: Table) -> list[VersionedEntry]:
    """Return each entry once, in the order of the table; a failed seed beside done ones is none."""
    found: dict[str, VersionedEntry] = {}
    for row, name, rank in zip(table.rows, table.labels, table.ranking.ranks, strict=True):
        found.setdefault(row.entry, VersionedEntry(row, name, rank))
    return list(found.values())


def match(earlier: Sequence[VersionedEntry], later: Sequence[VersionedEntry]) -> list[Pair]:
    """Pair entries of the same content; then those that alone have their name and recipe, or name.

    Returns:
        The later entries in their order, then the earlier ones that are gone.
    """
    was: dict[VersionedEntry, VersionedEntry] = {}
    keys: tuple[Callable[[Row], Hashable], ...] = (
        lambda row: row.entry,
        lambda row: (row.name, row.first.recipe_name, row.first.track),
        lambda row: row.name,
    )
    for key in keys:
        kept = set(was.values())
        there = _unique(key, (each for each in earlier if each not in kept))
        here = _unique(key, (each for each in later if each not in was))
        was |= {here[name]: there[name] for name in here if name in there}
    kept = set(was.values())
    gone: list[Pair] = [(each, None) for each in earlier if each not in kept]
    return [(was.get(each), each) for each in later] + gone


def _unique(
    key: Callable[[Row], Hashable], given: Iterable[VersionedEntry]
) -> dict[Hashable, VersionedEntry]:
    """Return the entries whose key no other has."""
    groups: dict[Hashable, list[VersionedEntry]] = defaultdict(list)
    for each in given:
        groups[key(each.row)].append(each)
    return {name: group[0] for name, group in groups.items() if len(group) == 1}


@dataclass(frozen=True)
class Shift:
    """A metric of an entry that changed.

    Attributes:
        p: two-sided, Holm-adjusted; None if the two cannot be compared.
        why: the reason if they cannot.
    """

    entry: str
    metric: str
    before: float
    after: float
    p: float | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        """Verdict on the change: significant, not significant or not comparable."""
        if self.p is None:
            return "not comparable"
        return "significant" if self.p < ALPHA else "not significant"


def shifts(pairs: Iterable[Pair], earlier: Table, later: Table) -> list[Shift]:
    """Return every shown value that changed, the primary metric's first.

    Args:
        pairs: the entries of both tables, as they were and as they are.
        earlier, later: the tables.
    """
    both = [(was, now) for was, now in pairs if was and now and was.row.is_done and now.row.is_done]
    shown = [name for name in later.facts if name in earlier.protocol.facts]
    return [shift for name in shown for shift in _of_metric(name, both, earlier, later)]


def _of_metric(
    metric: str, pairs: list[tuple[VersionedEntry, VersionedEntry]], earlier: Table, later: Table
) -> list[Shift]:
    apart = _reasons(metric, earlier, later)
    changed = [(was, now) for was, now in pairs if _is_changed(was, now, metric)]
    why = [apart(was.row, now.row) for was, now in changed]
    comparable = [pair for pair, reason in zip(changed, why, strict=True) if not reason]
    tested = [_values_before_after(*pair, metric) for pair in comparable]
    p = iter(change_p_values(tested, _spread(metric, earlier, later)))
    return [
        Shift(
            now.name,
            metric,
            _value(was, metric),
            _value(now, metric),
            None if reason else float(next(p)),
            reason,
        )
        for (was, now), reason in zip(changed, why, strict=True)
    ]


def _value(entry: VersionedEntry, metric: str) -> float:
    figure = entry.row.figure(metric)
    return figure.value if figure else math.nan


def _is_changed(was: VersionedEntry, now: VersionedEntry, metric: str) -> bool:
    """Check if both have the metric, with different published values."""
    before, after = _value(was, metric), _value(now, metric)
    known = not (math.isnan(before) or math.isnan(after))
    return known and six_digits(before) != six_digits(after)


def _values_before_after(
    was: VersionedEntry, now: VersionedEntry, metric: str
) -> tuple[PairedValues, PairedValues]:
    """Return both sides of an entry's comparison; with seeds only if it was trained again."""
    before, after = values_by_unit(was.row, metric), values_by_unit(now.row, metric)
    if _networks(was.row) == _networks(now.row):
        return replace(before, seeds=()), replace(after, seeds=())
    return before, after


def _networks(row: Row) -> frozenset[str]:
    """Return the weights behind a row, else the keys of their trainings."""
    return frozenset(
        record.artefacts["checkpoint"].sha256
        if "checkpoint" in record.artefacts
        else record.stages["train"].key
        for record in row.records
        if "checkpoint" in record.artefacts or "train" in record.stages
    )


def _spread(metric: str, earlier: Table, later: Table) -> SeedSpread | None:
    """Return the later table's spread of seeds, else the earlier one's."""
    return seed_spread(later.rows, metric, later.protocol.facts[metric]) or seed_spread(
        earlier.rows, metric, earlier.protocol.facts[metric]
    )


def _reasons(metric: str, earlier: Table, later: Table) -> Callable[[Row, Row], str]:
    """Return a function of two rows that says why they are not comparable; empty if they are."""
    facts, unit = later.protocol.facts[metric], later.dataset.unit
    before, unit_before = earlier.protocol.facts[metric], earlier.dataset.unit
    general = ""
    if (before.unit, before.higher_is_better) != (facts.unit, facts.higher_is_better):
        general = f"{facts.title} is another metric than it was"
    elif unit_before != unit:
        general = f"{unit_before}s were resampled, and {unit}s are"
    same_data = earlier.dataset.lock == later.dataset.lock
    return lambda was, now: general or _apart(was, now, metric, unit, same_data=same_data)


def _apart(was: Row, now: Row, metric: str, unit: str, *, same_data: bool) -> str:
    """Say why two rows of comparable tables cannot be compared themselves."""
    if was.is_claimed or now.is_claimed:
        return "a claim is no measurement"
    before, after = was.left_one_out(metric), now.left_one_out(metric)
    if not before or not after:
        return f"the metric without each {unit} is not known of both"
    if before.keys() != after.keys():
        shared = len(before.keys() & after.keys())
        return f"{len(before)} test {unit}s were {len(after)} others, {shared} of them the same"
    if not same_data and all(name.isdecimal() for name in after):
        return f"other data, in which {unit}s are numbered and not named"
    if not can_rank(len(after)):
        return f"{len(after)} test {unit}s; {MIN_UNITS_FOR_RANKS} are needed"
    finite = all(map(math.isfinite, [*before.values(), *after.values()]))
    return "" if finite else f"the metric without some {unit} is no number"
