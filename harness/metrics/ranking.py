"""Which entries of a table differ for certain, from metrics with each unit left out.

Two entries on the same test units are compared by the jackknife standard error of their difference,
with Student's t on S - 1 degrees of freedom, and Holm's correction over all pairs of the table
(sources: `harness.metrics.comparison`). Where some entry of the table was trained
with several seeds, the pooled spread of seeds is in the standard error (`harness.metrics.seeds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from harness.metrics.comparison import ROUNDING, holm, jackknife_error, two_sided_p
from harness.metrics.errors import MetricError, check_finite, check_vector
from harness.metrics.seeds import Scale, combined_error, pooled_spread, seed_variance

Floats = NDArray[np.float64]

MIN_UNITS_FOR_RANKS = 20
"""With fewer units a row says that ranks cannot be told."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One row of a table: its metric, and the metric with each unit left out.

    Attributes:
        name: how errors name the row.
        estimate: the metric on all units; of several seeds, their mean.
        units: S names of units, each once, in any order.
        left_out: `[S]`, the metric without each unit, in the order of `units`; of several seeds,
            their mean.
        seeds: the metric of each seed; none where nothing was trained, or seeds shall not count.

    Raises:
        MetricError: fewer than two units, a unit named twice, lengths differ, NaN or infinite, or
            an estimate that is not the mean of its seeds.
    """

    name: str
    estimate: float
    units: Sequence[str]
    left_out: NDArray[np.float64]
    seeds: Sequence[float] = ()

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
        if len(self.seeds):
            _check_seeds(self)


def can_rank(units: int) -> bool:
    """Tells whether a test of so many units can tell ranks.

    >>> can_rank(12), can_rank(40)
    (False, True)
    """
    return units >= MIN_UNITS_FOR_RANKS


def p_values(entries: Sequence[Entry], *, scale: Scale = "logit") -> Floats:
    """Computes two-sided, Holm-adjusted p values of the difference of every pair of E entries.

    Where the difference is the same without any unit there is no spread: p is 0 for two different
    estimates, and 1 for equal ones.

    Args:
        entries: rows of one table, on the same units.
        scale: on which the spread of seeds is pooled: `plain` for metrics that are no rates.

    Returns:
        `[E, E]`, symmetric, 1 on the diagonal.

    Raises:
        MetricError: entries that are not on the same units, or seeds that cannot be pooled on the
            scale.
    """
    first, second = np.triu_indices(len(entries), k=1)
    estimates = np.array([entry.estimate for entry in entries], dtype=np.float64)
    errors, freedom = _pair_errors(entries, scale)
    table = np.ones((len(entries), len(entries)))
    raw = two_sided_p(estimates[first] - estimates[second], errors, freedom)
    table[first, second] = table[second, first] = holm(raw)
    return table


def ranks(
    entries: Sequence[Entry],
    higher_is_better: bool,
    alpha: float = 0.05,
    *,
    scale: Scale = "logit",
) -> list[int]:
    """Ranks each entry one plus the number of entries significantly better than it.

    Entries that cannot be told apart may share a rank. Whether the test has units enough for ranks
    to be shown is for `can_rank` to say.

    Args:
        entries: rows of one table, on the same units.
        higher_is_better: True for accuracy, False for error rates and costs.
        alpha: the family-wise error over all pairs.
        scale: on which the spread of seeds is pooled: `plain` for metrics that are no rates.

    Raises:
        MetricError: as `p_values`.

    >>> units = ("ann", "bob", "eve")
    >>> good = Entry("good", 0.1, units, np.array([0.10, 0.11, 0.09]))
    >>> poor = Entry("poor", 0.5, units, np.array([0.50, 0.51, 0.49]))
    >>> ranks([poor, good], higher_is_better=False)
    [2, 1]
    """
    estimates = np.array([entry.estimate for entry in entries], dtype=np.float64)
    merits = estimates if higher_is_better else -estimates
    better = merits[np.newaxis, :] > merits[:, np.newaxis]
    beaten_by = (better & (p_values(entries, scale=scale) < alpha)).sum(axis=1)
    return [1 + int(count) for count in beaten_by]


def smallest_visible_difference(
    entries: Sequence[Entry], alpha: float = 0.05, *, scale: Scale = "logit"
) -> float:
    """Computes the median over pairs of the least difference that one comparison calls significant.

    It is the 1 - alpha / 2 quantile of Student's t times the standard error of the pair's
    difference, in the metric's own unit, without Holm's correction; the spread of seeds is in it
    where `p_values` has it.

    Raises:
        MetricError: fewer than two entries, or as `p_values`.
    """
    if len(entries) < 2:
        raise MetricError(f"{len(entries)} entries have no difference; give at least 2")
    errors, freedom = _pair_errors(entries, scale)
    quantiles = np.asarray(student.ppf(1 - alpha / 2, freedom))
    if np.all(freedom == freedom[0]):  # the same, but for rounding that a published table may show
        return float(quantiles[0] * np.median(errors))
    return float(np.median(quantiles * errors))


def _pair_errors(entries: Sequence[Entry], scale: Scale) -> tuple[Floats, Floats]:
    """Standard errors of all pairs' differences, as np.triu_indices orders them, and freedoms."""
    if not entries:
        return np.empty(0), np.empty(0)
    table = _paired(entries)
    first, second = np.triu_indices(len(entries), k=1)
    # A pair at a time: all at once would need E * E * S values.
    pairs = zip(first, second, strict=True)
    errors = np.array([jackknife_error(table[i] - table[k]) for i, k in pairs], dtype=np.float64)
    spread = pooled_spread((entry.seeds for entry in entries), scale)
    if spread is None:
        return errors, np.full(len(errors), table.shape[1] - 1.0)
    own = np.array([seed_variance(each.estimate, len(each.seeds), spread) for each in entries])
    return combined_error(errors, table.shape[1] - 1, own[first] + own[second], spread.freedom)


def _check_seeds(entry: Entry) -> None:
    seeds = np.asarray(entry.seeds, dtype=np.float64)
    check_finite(seeds, f"seeds of {entry.name}")
    mean = float(np.mean(seeds))
    if not np.isclose(mean, entry.estimate, rtol=1e-9, atol=ROUNDING):
        raise MetricError(
            f"{entry.name}: the estimate is {entry.estimate}, and the mean of its {len(seeds)} "
            f"seeds {mean}; give the mean over seeds as the estimate"
        )


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
