"""Which values of a table are not what they were, and which of the changes are certain.

An entry is compared with its earlier self as two entries of one table are: paired on the test units
that both were judged on, by the metric without each of them, Holm-corrected over all entries whose
value changed. Networks that were judged again, and not trained again, have no spread of seeds in
this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from harness.board.standing.ranking import measured, pooled_over
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.versions.matching import Entry, Pair
from harness.board.writing.efficiency import six_digits
from harness.metrics.seed_spread import SeedSpread
from harness.metrics.significance import MIN_UNITS_FOR_RANKS, can_rank, change_p_values
from harness.metrics.significance import ComparedEntry as Measured
from harness.records.record import MetricFacts

ALPHA = 0.05


@dataclass(frozen=True)
class Shift:
    """A metric of an entry that is not what it was.

    Attributes:
        p: two-sided, Holm-adjusted; None where the two cannot be compared.
        why: why they cannot.
    """

    entry: str
    metric: str
    before: float
    after: float
    p: float | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        """Whether the change is certain."""
        if self.p is None:
            return "not comparable"
        return "significant" if self.p < ALPHA else "not significant"


def shifts(pairs: Iterable[Pair], earlier: Table, later: Table) -> list[Shift]:
    """Every shown value that changed, the primary metric's first.

    Args:
        pairs: the entries of both tables, as they were and as they are.
        earlier, later: the tables.
    """
    both = [(was, now) for was, now in pairs if was and now and was.row.done and now.row.done]
    shown = [name for name in later.facts if name in earlier.protocol.facts]
    return [shift for name in shown for shift in _of_metric(name, both, earlier, later)]


def _of_metric(
    metric: str, pairs: list[tuple[Entry, Entry]], earlier: Table, later: Table
) -> list[Shift]:
    apart = _reasons(metric, earlier, later)
    changed = [(was, now) for was, now in pairs if _changed(was, now, metric)]
    why = [apart(was.row, now.row) for was, now in changed]
    comparable = [pair for pair, reason in zip(changed, why, strict=True) if not reason]
    tested = [_measured(*pair, metric) for pair in comparable]
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


def _value(entry: Entry, metric: str) -> float:
    figure = entry.row.figure(metric)
    return figure.value if figure else math.nan


def _changed(was: Entry, now: Entry, metric: str) -> bool:
    """Whether both have the metric, and not the same of it as it is published."""
    before, after = _value(was, metric), _value(now, metric)
    known = not (math.isnan(before) or math.isnan(after))
    return known and six_digits(before) != six_digits(after)


def _measured(was: Entry, now: Entry, metric: str) -> tuple[Measured, Measured]:
    """What is compared of an entry; its seeds only where it was trained again."""
    before, after = measured(was.row, metric), measured(now.row, metric)
    if _networks(was.row) == _networks(now.row):
        return replace(before, seeds=()), replace(after, seeds=())
    return before, after


def _networks(row: Row) -> frozenset[str]:
    """The weights behind a row, else the keys of their trainings."""
    return frozenset(
        record.artefacts["checkpoint"].sha256
        if "checkpoint" in record.artefacts
        else record.stages["train"].key
        for record in row.records
        if "checkpoint" in record.artefacts or "train" in record.stages
    )


def _spread(metric: str, earlier: Table, later: Table) -> SeedSpread | None:
    """The later table's spread of seeds, else the earlier one's."""
    return pooled_over(later.rows, metric, later.protocol.facts[metric]) or pooled_over(
        earlier.rows, metric, earlier.protocol.facts[metric]
    )


def _reasons(metric: str, earlier: Table, later: Table) -> Callable[[Row, Row], str]:
    """What tells of two rows why they cannot be compared; it tells nothing where they can."""
    general = _other_metric(earlier.protocol.facts[metric], later.protocol.facts[metric])
    general = general or _other_unit(earlier, later)
    same_data = earlier.dataset.lock == later.dataset.lock

    def why(was: Row, now: Row) -> str:
        return general or _apart(was, now, metric, later.dataset.unit, same_data=same_data)

    return why


def _other_metric(was: MetricFacts, now: MetricFacts) -> str:
    if (was.unit, was.higher_is_better) == (now.unit, now.higher_is_better):
        return ""
    return f"{now.title} is another metric than it was"


def _other_unit(earlier: Table, later: Table) -> str:
    was, now = earlier.dataset.unit, later.dataset.unit
    return f"{was}s were resampled, and {now}s are" if was != now else ""


def _apart(was: Row, now: Row, metric: str, unit: str, *, same_data: bool) -> str:
    """Why two rows of comparable tables cannot be compared themselves."""
    if was.claimed or now.claimed:
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
