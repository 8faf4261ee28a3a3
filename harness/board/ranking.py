"""The ranks of a table's rows, or why they cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.board.rows import Row
from harness.metrics.ranking import (
    MIN_UNITS_FOR_RANKS,
    Entry,
    can_rank,
    ranks,
    smallest_visible_difference,
)
from harness.records.record import Protocol


@dataclass(frozen=True)
class Ranking:
    """Ranks in the order of the rows (None: not told), why not, and what could have been seen.

    `visible` is in the metric's own unit: rates as fractions.
    """

    ranks: tuple[int | None, ...]
    reason: str = ""
    units: int | None = None
    visible: float | None = None


def rank(rows: Sequence[Row], protocol: Protocol, unit: str) -> Ranking:
    """Rank the done rows of one table by its primary metric, paired on the units left out.

    Args:
        rows: the table's rows, in its order.
        protocol: the table's protocol.
        unit: what is resampled, for the reasons.
    """
    blank: tuple[int | None, ...] = (None,) * len(rows)
    done = [row for row in rows if row.done]
    if len(done) < 2:
        return Ranking(blank, "ranks need two entries with results")
    reason = _unpaired(done, protocol.primary, unit)
    if reason:
        return Ranking(blank, reason)
    entries = [_entry(row, protocol.primary) for row in done]
    units, visible = len(entries[0].units), smallest_visible_difference(entries)
    if not can_rank(units):
        return Ranking(blank, _too_few(units, unit), units, visible)
    told = iter(ranks(entries, protocol.facts[protocol.primary].higher_is_better))
    return Ranking(tuple(next(told) if row.done else None for row in rows), "", units, visible)


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


def _entry(row: Row, metric: str) -> Entry:
    left, figure = row.left_one_out(metric) or {}, row.figure(metric)
    value = figure.value if figure else float("nan")
    return Entry(row.name, value, tuple(left), np.array(list(left.values()), dtype=np.float64))
