"""The ranks of a table's rows, or why they cannot be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.board.standing.rows import Row
from harness.metrics.seed_spread import Scale, SeedSpread, pool_spread
from harness.metrics.significance import (
    MIN_UNITS_FOR_RANKS,
    ComparedEntry,
    can_rank,
    ranks_and_difference,
    smallest_visible_difference,
)
from harness.records.record import MetricFacts, Protocol


@dataclass(frozen=True)
class Ranking:
    """Ranks in the order of the rows (None: not told), why not, and what could have been seen.

    Attributes:
        ranks: one a row.
        reason: why they are not told.
        units: how many test units the rows were compared on.
        visible: the smallest visible difference, in the metric's own unit: rates as fractions.
        spread: of the seeds, pooled over the rows; it is in the ranks and in `visible`. None where
            no entry shows one.
    """

    ranks: tuple[int | None, ...]
    reason: str = ""
    units: int | None = None
    visible: float | None = None
    spread: SeedSpread | None = None


def rank(rows: Sequence[Row], protocol: Protocol, unit: str) -> Ranking:
    """Rank the done rows of one table by its primary metric, paired on the units left out.

    Claimed rows take no rank, and count for nobody's.

    Args:
        rows: the table's rows, in its order.
        protocol: the table's protocol.
        unit: what is resampled, for the reasons.
    """
    done = [row for row in rows if row.compared]
    spread = pooled_over(done, protocol.primary, protocol.facts[protocol.primary])
    blank = Ranking((None,) * len(rows), spread=spread)
    if len(done) < 2:
        return replace(blank, reason="ranks need two entries with results")
    reason = _unpaired(done, protocol.primary, unit)
    return replace(blank, reason=reason) if reason else _ranked(blank, rows, protocol, unit)


def pooled_over(rows: Iterable[Row], metric: str, facts: MetricFacts) -> SeedSpread | None:
    """The spread of a metric over the seeds of some rows; None where no row shows one."""
    return pool_spread((_seeds(row, metric) for row in rows if row.compared), _scale(facts))


def measured(row: Row, metric: str) -> ComparedEntry:
    """A row's metric, and the same without each unit, as ranks and changes compare them."""
    left, figure = row.left_one_out(metric) or {}, row.figure(metric)
    value = figure.value if figure else float("nan")
    values = np.array(list(left.values()), dtype=np.float64)
    return ComparedEntry(row.name, value, tuple(left), values, _seeds(row, metric))


def _ranked(blank: Ranking, rows: Sequence[Row], protocol: Protocol, unit: str) -> Ranking:
    """Fill in what is told of rows that can be paired."""
    scale = _scale(protocol.facts[protocol.primary])
    entries = [measured(row, protocol.primary) for row in rows if row.compared]
    units = len(entries[0].units)
    if not can_rank(units):
        visible = smallest_visible_difference(entries, scale=scale)
        return replace(blank, units=units, visible=visible, reason=_too_few(units, unit))
    better = protocol.facts[protocol.primary].higher_is_better
    found, visible = ranks_and_difference(entries, better, scale=scale)
    told = iter(found)
    ranks = tuple(next(told) if row.compared else None for row in rows)
    return replace(blank, units=units, visible=visible, ranks=ranks)


def _scale(facts: MetricFacts) -> Scale:
    """Rates spread in proportion to themselves; what other metrics do is not known."""
    return "logit" if facts.unit == "%" else "plain"


def _seeds(row: Row, metric: str) -> tuple[float, ...]:
    """The metric of each training; none of a baseline, which no seed can change."""
    if row.first.is_baseline:
        return ()
    return tuple(r.metrics[metric].value for r in row.results if metric in r.metrics)


def _too_few(units: int, unit: str) -> str:
    return f"ranks cannot be told with {units} test {unit}s; {MIN_UNITS_FOR_RANKS} are needed"


def _unpaired(rows: Sequence[Row], metric: str, unit: str) -> str:
    """Why rows cannot be compared in pairs; empty where they can."""
    left = [row.left_one_out(metric) if row.figure(metric) else None for row in rows]
    without = sorted({row.name for row, values in zip(rows, left, strict=True) if not values})
    if without:
        named = ", ".join(without)
        return f"ranks need the metric without each {unit}, which is not known of {named}"
    sets = {frozenset(values) for values in left if values}
    if len(sets) > 1:
        return f"ranks need the same test {unit}s in all entries; these entries differ in them"
    return "" if len(next(iter(sets))) > 1 else f"ranks cannot be told with 1 test {unit}"
