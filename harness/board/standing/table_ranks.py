"""Rank a table's rows, or say why they cannot be ranked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.board.standing.rows import Row
from harness.metrics.seed_spread import Scale, SeedSpread, pool_spread
from harness.metrics.significance import (
    MIN_UNITS_FOR_RANKS,
    ComparedEntry,
    can_rank,
    p_values,
    ranks_and_difference,
    smallest_visible_difference,
)
from harness.records.record import MetricFacts, Protocol


@dataclass(frozen=True)
class TableRanks:
    """Ranks in the order of the rows (None: no rank), and the power of the table.

    Attributes:
        ranks: one a row.
        reason: why there are none.
        apart: one a row: why it is left out of ranking by itself; empty for the others.
        units: number of test units on which the rows were compared.
        visible: the smallest visible difference, in the metric's own unit: rates as fractions.
        spread: of the seeds, pooled over the rows; it is in the ranks and in `visible`. None if
            no entry shows one.
    """

    ranks: tuple[int | None, ...]
    reason: str = ""
    units: int | None = None
    visible: float | None = None
    spread: SeedSpread | None = None
    apart: tuple[str, ...] = ()


def rank(rows: Sequence[Row], protocol: Protocol, unit: str) -> TableRanks:
    """Rank the done rows of one table by its primary metric, paired on the units left out.

    Claimed rows take no rank, and count for nobody's. A row that cannot be paired with the others
    is left out by itself: the others are ranked as if it were not there.

    Args:
        rows: the table's rows, in its order.
        protocol: the table's protocol.
        unit: what is resampled, for the reasons.
    """
    done = [row for row in rows if row.is_compared]
    spread = seed_spread(done, protocol.primary, protocol.facts[protocol.primary])
    blank = TableRanks((None,) * len(rows), spread=spread)
    if rows and all(row.is_leaky for row in rows):
        return replace(blank, reason="copies of training data are tested: nothing is ranked")
    if len(done) < 2:
        return replace(blank, reason="ranks need two entries with results")
    paired, apart = _pair(done, protocol.primary, unit)
    blank = replace(blank, apart=tuple(apart.get(row, "") for row in rows))
    if len(paired) < 2:
        return replace(blank, reason=f"ranks need two entries on the same test {unit}s")
    spread = seed_spread(paired, protocol.primary, protocol.facts[protocol.primary])
    blank = replace(blank, spread=spread)
    return _fill_ranks(blank, rows, paired, protocol, unit)


def seed_spread(rows: Iterable[Row], metric: str, facts: MetricFacts) -> SeedSpread | None:
    """Return the spread of a metric over the seeds of some rows; None if no row shows one."""
    return pool_spread((_seeds(row, metric) for row in rows if row.is_compared), _scale(facts))


def values_by_unit(row: Row, metric: str) -> ComparedEntry:
    """Return a row's metric, and the same without each unit, as ranks and changes compare them."""
    left, figure = row.left_one_out(metric) or {}, row.figure(metric)
    value = figure.value if figure else float("nan")
    values = np.array(list(left.values()), dtype=np.float64)
    return ComparedEntry(row.name, value, tuple(left), values, _seeds(row, metric))


def pair_p_values(
    rows: Sequence[Row], ranking: TableRanks, protocol: Protocol
) -> dict[tuple[Row, Row], float]:
    """Return the p value of each pair of ranked rows, as the ranks rest on it."""
    ranked = [row for row, rank in zip(rows, ranking.ranks, strict=True) if rank is not None]
    if len(ranked) < 2:
        return {}
    entries = [values_by_unit(row, protocol.primary) for row in ranked]
    found = p_values(entries, scale=_scale(protocol.facts[protocol.primary]))
    first, second = np.triu_indices(len(ranked), k=1)
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    return {(ranked[i], ranked[j]): float(found[i, j]) for i, j in pairs}


def _fill_ranks(
    blank: TableRanks, rows: Sequence[Row], paired: Sequence[Row], protocol: Protocol, unit: str
) -> TableRanks:
    """Fill in the ranks of the rows that can be paired."""
    scale = _scale(protocol.facts[protocol.primary])
    units = len(paired[0].left_one_out(protocol.primary) or ())
    if units < 2:
        return replace(blank, units=units, reason=f"ranks cannot be told with 1 test {unit}")
    entries = [values_by_unit(row, protocol.primary) for row in paired]
    if not can_rank(units):
        visible = smallest_visible_difference(entries, scale=scale)
        few = f"ranks cannot be told with {units} test {unit}s; {MIN_UNITS_FOR_RANKS} are needed"
        return replace(blank, units=units, visible=visible, reason=few)
    better = protocol.facts[protocol.primary].higher_is_better
    found, visible = ranks_and_difference(entries, better, scale=scale)
    ranks = dict(zip(paired, found, strict=True))
    return replace(blank, units=units, visible=visible, ranks=tuple(map(ranks.get, rows)))


def _scale(facts: MetricFacts) -> Scale:
    """Return `logit` for rates, which spread in proportion to themselves, else `plain`."""
    return "logit" if facts.unit == "%" else "plain"


def _seeds(row: Row, metric: str) -> tuple[float, ...]:
    """Return the metric of each training; none of a baseline, which no seed can change."""
    if row.first.is_baseline:
        return ()
    return tuple(r.metrics[metric].value for r in row.results if metric in r.metrics)


def _pair(rows: Sequence[Row], metric: str, unit: str) -> tuple[list[Row], dict[Row, str]]:
    """Separate the rows that can be compared in pairs from the others, with the reasons why.

    The units are those of most rows; of two sets that are as frequent, those of the first record.
    """
    left = {row: (row.left_one_out(metric) or {}) if row.figure(metric) else {} for row in rows}
    sets: dict[frozenset[str], list[Row]] = defaultdict(list)
    for row, values in left.items():
        if values:
            sets[frozenset(values)].append(row)
    first = {units: min(r.finished for row in sets[units] for r in row.records) for units in sets}
    order = sorted(sets, key=lambda units: (-len(sets[units]), first[units], sorted(units)))
    usual = order[0] if order else frozenset[str]()
    apart = {
        row: f"its test {unit}s are not the others'"
        if values
        else f"the metric without each {unit} is not known of it"
        for row, values in left.items()
        if values.keys() != usual or not values
    }
    return sets[usual], apart
