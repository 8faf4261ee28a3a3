"""Which entries of a table differ for certain, from metrics with each unit left out.

Two entries on the same test units are compared by the jackknife standard error of their difference
(B. Efron and C. Stein, "The jackknife estimate of variance", Annals of Statistics 9, 1981), with
Student's t on S - 1 degrees of freedom, and Holm's correction over all pairs of the table
(S. Holm, Scandinavian Journal of Statistics 6, 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from harness.metrics.errors import MetricError, check_finite, check_vector

Floats = NDArray[np.float64]

MIN_UNITS_FOR_RANKS = 20
"""With fewer units a row says that ranks cannot be told."""

ROUNDING = 1e-12
"""Differences and spreads up to this are taken for rounding, and so for none."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One row of a table: its metric, and the metric with each unit left out.

    Attributes:
        name: how errors name the row.
        estimate: the metric on all units.
        units: S names of units, each once, in any order.
        left_out: `[S]`, the metric without each unit, in the order of `units`.

    Raises:
        MetricError: fewer than two units, a unit named twice, lengths differ, NaN or infinite.
    """

    name: str
    estimate: float
    units: Sequence[str]
    left_out: NDArray[np.float64]

    def __post_init__(self) -> None:
        values = np.asarray(self.left_out)
        check_vector(values, f"left-one-out values of {self.name}")
        check_finite(np.append(values, self.estimate), f"left-one-out values of {self.name}")
        if not len(set(self.units)) == len(self.units) == len(values):
            raise MetricError(
                f"{self.name}: {len(self.units)} units ({len(set(self.units))} distinct) and "
                f"{len(values)} left-one-out values; give one value for each distinct unit"
            )
        if len(values) < 2:
            raise MetricError(f"{self.name}: 1 unit; comparing entries needs at least 2")


def can_rank(units: int) -> bool:
    """Tells whether a test of so many units can tell ranks.

    >>> can_rank(12), can_rank(40)
    (False, True)
    """
    return units >= MIN_UNITS_FOR_RANKS


def jackknife_error(left_out: ArrayLike) -> float:
    """Computes the jackknife standard error, sqrt((S - 1) / S * sum((x_s - mean)^2)).

    Args:
        left_out: `[S]`, a metric, or the difference of two, without each unit.

    Raises:
        MetricError: fewer than two values, or NaN or infinite ones.

    >>> round(jackknife_error([0.0, 1.0, 2.0]), 6)
    1.154701
    """
    values = np.asarray(left_out, dtype=np.float64)
    check_vector(values, "left-one-out values")
    check_finite(values, "left-one-out values")
    if len(values) < 2:
        raise MetricError("1 left-one-out value has no spread; give at least 2 units")
    return float(np.std(values) * np.sqrt(len(values) - 1))


def holm(p_values: ArrayLike) -> Floats:
    """Adjusts p values `[M]` for M comparisons by Holm's step-down rule.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def p_values(entries: Sequence[Entry]) -> Floats:
    """Computes two-sided, Holm-adjusted p values of the difference of every pair of E entries.

    Where the difference is the same without any unit there is no spread: p is 0 for two different
    estimates, and 1 for equal ones.

    Returns:
        `[E, E]`, symmetric, 1 on the diagonal.

    Raises:
        MetricError: entries that are not on the same units.
    """
    first, second = np.triu_indices(len(entries), k=1)
    estimates = np.array([entry.estimate for entry in entries], dtype=np.float64)
    differences = np.abs(estimates[first] - estimates[second])
    errors, units = _pair_errors(entries)
    raw = np.where(differences > ROUNDING, 0.0, 1.0)
    spread = errors > ROUNDING
    raw[spread] = 2 * student.sf(differences[spread] / errors[spread], units - 1)
    table = np.ones((len(entries), len(entries)))
    table[first, second] = table[second, first] = holm(raw)
    return table


def ranks(entries: Sequence[Entry], higher_is_better: bool, alpha: float = 0.05) -> list[int]:
    """Ranks each entry one plus the number of entries significantly better than it.

    Entries that cannot be told apart may share a rank. Whether the test has units enough for ranks
    to be shown is for `can_rank` to say.

    Args:
        entries: rows of one table, on the same units.
        higher_is_better: True for accuracy, False for error rates and costs.
        alpha: the family-wise error over all pairs.

    Raises:
        MetricError: entries that are not on the same units.

    >>> units = ("ann", "bob", "eve")
    >>> good = Entry("good", 0.1, units, np.array([0.10, 0.11, 0.09]))
    >>> poor = Entry("poor", 0.5, units, np.array([0.50, 0.51, 0.49]))
    >>> ranks([poor, good], higher_is_better=False)
    [2, 1]
    """
    estimates = np.array([entry.estimate for entry in entries], dtype=np.float64)
    merits = estimates if higher_is_better else -estimates
    better = merits[np.newaxis, :] > merits[:, np.newaxis]
    beaten_by = (better & (p_values(entries) < alpha)).sum(axis=1)
    return [1 + int(count) for count in beaten_by]


def smallest_visible_difference(entries: Sequence[Entry], alpha: float = 0.05) -> float:
    """Computes the median over pairs of the least difference that one comparison calls significant.

    It is the 1 - alpha / 2 quantile of t(S - 1) times the standard error of the pair's difference,
    in the metric's own unit, without Holm's correction.

    Raises:
        MetricError: fewer than two entries, or entries that are not on the same units.
    """
    if len(entries) < 2:
        raise MetricError(f"{len(entries)} entries have no difference; give at least 2")
    errors, units = _pair_errors(entries)
    return float(student.ppf(1 - alpha / 2, units - 1) * np.median(errors))


def _pair_errors(entries: Sequence[Entry]) -> tuple[Floats, int]:
    """Standard errors of the differences of all pairs, as np.triu_indices orders them, and S."""
    if not entries:
        return np.empty(0), MIN_UNITS_FOR_RANKS
    table = _paired(entries)
    first, second = np.triu_indices(len(entries), k=1)
    # A pair at a time: all at once would need E * E * S values.
    errors = [jackknife_error(table[i] - table[k]) for i, k in zip(first, second, strict=True)]
    return np.array(errors, dtype=np.float64), table.shape[1]


def _paired(entries: Sequence[Entry]) -> Floats:
    """Stacks left-one-out values as `[E, S]`, one unit a column, whatever order they came in."""
    names = sorted(entries[0].units)
    for entry in entries[1:]:
        other = set(entry.units) ^ set(names)
        if other:
            raise MetricError(
                f"{entry.name} and {entries[0].name} are not on the same units: {len(other)} are "
                f"in one only, as {min(other)!r}; compare entries of one protocol version"
            )
    return np.stack([_by_name(entry) for entry in entries])


def _by_name(entry: Entry) -> Floats:
    order = sorted(range(len(entry.units)), key=lambda position: entry.units[position])
    return np.asarray(entry.left_out, dtype=np.float64)[order]
