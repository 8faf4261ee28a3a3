"""Significant differences between entries of a table, from metrics with each unit left out.

Two entries on the same test units are compared by the jackknife standard error of their difference,
with Student's t on S - 1 degrees of freedom, and Holm's correction over all pairs of the table
(sources: `harness.metrics.comparison`). If some entry of the table was trained
with several seeds, the pooled spread of seeds is in the standard error
(`harness.metrics.seed_spread`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from harness.metrics.comparison import holm, two_sided_p
from harness.metrics.intervals import ROUNDING, jackknife_error
from harness.metrics.seed_spread import (
    Scale,
    SeedSpread,
    combine_errors,
    pool_spread,
    seed_variance,
)
from harness.metrics.validation import MetricError, check_finite, check_vector

Floats = NDArray[np.float64]

MIN_UNITS_FOR_RANKS = 20
"""With fewer units a row says that ranks cannot be told."""


@dataclass(frozen=True, eq=False)
class ComparedEntry:
    """One row of a table: its metric, and the metric with each unit left out.

    Attributes:
        name: name of the row in errors.
        estimate: the metric on all units; of several seeds, their mean.
        units: S names of units, each once, in any order.
        left_out: `[S]`, the metric without each unit, in the order of `units`; of several seeds,
            their mean.
        seeds: the metric of each seed; none if nothing was trained, or seeds shall not count.

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
    """Return True if a test of so many units can show ranks.

    >>> can_rank(12), can_rank(40)
    (False, True)
    """
    return units >= MIN_UNITS_FOR_RANKS


def p_values(entries: Sequence[ComparedEntry], *, scale: Scale = "logit") -> Floats:
    """Compute two-sided, Holm-adjusted p values of the difference of every pair of E entries.

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
    return _p_table(_estimates(entries), *_pair_errors(entries, scale))


def change_p_values(
    pairs: Sequence[tuple[ComparedEntry, ComparedEntry]], spread: SeedSpread | None = None
) -> Floats:
    """Compute two-sided p values of M changes, each from one entry to another on the same units.

    The tests are those of `p_values`; Holm's correction is over the M changes.

    Args:
        pairs: what was, and what is. Seeds are given if other networks were trained, and left
            out if the same networks were judged again.
        spread: of the seeds; None if none is known.

    Returns:
        `[M]`.

    Raises:
        MetricError: a pair that is not on the same units, or an estimate that its seeds' scale has
            no place for.

    >>> units = ("ann", "bob", "eve")
    >>> before = ComparedEntry("before", 0.5, units, np.array([0.50, 0.51, 0.49]))
    >>> after = ComparedEntry("after", 0.1, units, np.array([0.10, 0.12, 0.08]))
    >>> change_p_values([(before, after), (before, before)]).round(4)
    array([0.0017, 1.    ])
    """
    errors, freedom = change_errors(pairs, spread)
    differences = np.array([after.estimate - before.estimate for before, after in pairs])
    return holm(two_sided_p(differences, errors, freedom))


def change_errors(
    pairs: Sequence[tuple[ComparedEntry, ComparedEntry]], spread: SeedSpread | None = None
) -> tuple[Floats, Floats]:
    """Compute standard errors of M changes, and their degrees of freedom, both `[M]`.

    Args:
        pairs, spread: as of `change_p_values`, with the same errors.
    """
    tests = [_change_error(before, after, spread) for before, after in pairs]
    errors, freedom = (np.array([test[i] for test in tests], dtype=np.float64) for i in (0, 1))
    return errors, freedom


def ranks_and_difference(
    entries: Sequence[ComparedEntry],
    higher_is_better: bool,
    alpha: float = 0.05,
    *,
    scale: Scale = "logit",
) -> tuple[list[int], float]:
    """Rank entries, and compute the `smallest_visible_difference` from the same comparisons.

    An entry's rank is one plus the number of entries significantly better than it, so entries that
    cannot be told apart may share a rank. `can_rank` says if the test has units enough for ranks to
    be shown.

    Args:
        entries: rows of one table, on the same units.
        higher_is_better: True for accuracy, False for error rates and costs.
        alpha: the family-wise error over all pairs.
        scale: on which the spread of seeds is pooled: `plain` for metrics that are no rates.

    Returns:
        The ranks in the order of `entries`, and the difference.

    Raises:
        MetricError: as `smallest_visible_difference`.

    >>> units = ("ann", "bob", "eve")
    >>> good = ComparedEntry("good", 0.1, units, np.array([0.10, 0.11, 0.09]))
    >>> poor = ComparedEntry("poor", 0.5, units, np.array([0.50, 0.51, 0.49]))
    >>> ranks_and_difference([poor, good], higher_is_better=False)[0]
    [2, 1]
    """
    _check_several(entries)
    errors, freedom = _pair_errors(entries, scale)
    estimates = _estimates(entries)
    merits = estimates if higher_is_better else -estimates
    better = merits[np.newaxis, :] > merits[:, np.newaxis]
    beaten_by = (better & (_p_table(estimates, errors, freedom) < alpha)).sum(axis=1)
    return [1 + int(count) for count in beaten_by], _visible(errors, freedom, alpha)


def smallest_visible_difference(
    entries: Sequence[ComparedEntry], alpha: float = 0.05, *, scale: Scale = "logit"
) -> float:
    """Compute the median over pairs of the least difference that one comparison calls significant.

    It is the 1 - alpha / 2 quantile of Student's t times the standard error of the pair's
    difference, in the metric's own unit, without Holm's correction; the spread of seeds is in it
    if `p_values` has it.

    Raises:
        MetricError: fewer than two entries, or as `p_values`.
    """
    _check_several(entries)
    return _visible(*_pair_errors(entries, scale), alpha)


def _check_several(entries: Sequence[ComparedEntry]) -> None:
    if len(entries) < 2:
        raise MetricError(f"{len(entries)} entries have no difference; give at least 2")


def _estimates(entries: Sequence[ComparedEntry]) -> Floats:
    return np.array([entry.estimate for entry in entries], dtype=np.float64)


def _p_table(estimates: Floats, errors: Floats, freedom: Floats) -> Floats:
    """Return p values `[E, E]` from the errors and degrees of freedom of all pairs."""
    first, second = np.triu_indices(len(estimates), k=1)
    table = np.ones((len(estimates), len(estimates)))
    raw = two_sided_p(estimates[first] - estimates[second], errors, freedom)
    table[first, second] = table[second, first] = holm(raw)
    return table


def _visible(errors: Floats, freedom: Floats, alpha: float) -> float:
    """Compute the median over pairs of Student's quantile times the error.

    Quantiles fall with the freedom and take long to compute: of pairs that are certainly not in
    the middle they are only bounded, by those of the next lower and the next higher freedom of a
    few.
    """
    level = 1 - alpha / 2
    if np.all(freedom == freedom[0]):  # the same, but for rounding that a published table may show
        return float(stdtrit(freedom[0], level) * np.median(errors))
    steps = np.linspace(freedom.min(), freedom.max(), 100)
    bounds = np.asarray(stdtrit(steps, level))
    above = np.searchsorted(steps, freedom).clip(1)
    low, high = errors * bounds[above], errors * bounds[above - 1]
    middle = (len(errors) - 1) // 2, len(errors) // 2
    least, most = np.partition(low, middle[0])[middle[0]], np.partition(high, middle[1])[middle[1]]
    near = (high >= least) & (low <= most)
    values = np.sort(errors[near] * stdtrit(freedom[near], level))
    below = int(np.count_nonzero(high < least))
    return float(np.mean(values[[place - below for place in middle]]))


def _pair_errors(entries: Sequence[ComparedEntry], scale: Scale) -> tuple[Floats, Floats]:
    """Compute standard errors and freedoms of all pairs, as np.triu_indices orders them."""
    if not entries:
        return np.empty(0), np.empty(0)
    table = _align(entries)
    first, second = np.triu_indices(len(entries), k=1)
    errors = _jackknife_errors(table)
    spread = pool_spread((entry.seeds for entry in entries), scale)
    if spread is None:
        return errors, np.full(len(errors), table.shape[1] - 1.0)
    own = np.array([seed_variance(each.estimate, len(each.seeds), spread) for each in entries])
    return combine_errors(errors, table.shape[1] - 1, own[first] + own[second], spread.freedom)


def _jackknife_errors(table: Floats) -> Floats:
    """Compute the `jackknife_error` of every pair's difference, in the order of np.triu_indices.

    The difference of two centred rows is centred, so its squares alone are summed. A row at a time:
    all pairs at once would need E * E * S values.
    """
    centred = table - table.mean(axis=1, keepdims=True)
    rows = (centred[row] - centred[row + 1 :] for row in range(len(centred)))
    squares: list[Floats] = [np.einsum("es,es->e", each, each) for each in rows]
    share = (table.shape[1] - 1) / table.shape[1]
    errors: Floats = np.sqrt(np.concatenate(squares) * share)
    return errors


def _change_error(
    before: ComparedEntry, after: ComparedEntry, spread: SeedSpread | None
) -> tuple[float, float]:
    """Compute the standard error of the difference of two entries, and its degrees of freedom."""
    table = _align([before, after])
    error, freedom = jackknife_error(table[1] - table[0]), table.shape[1] - 1
    if spread is None:
        return error, float(freedom)
    own = sum(seed_variance(each.estimate, len(each.seeds), spread) for each in (before, after))
    errors, degrees = combine_errors([error], freedom, [own], spread.freedom)
    return float(errors[0]), float(degrees[0])


def _check_seeds(entry: ComparedEntry) -> None:
    seeds = np.asarray(entry.seeds, dtype=np.float64)
    check_finite(seeds, f"seeds of {entry.name}")
    mean = float(np.mean(seeds))
    if not np.isclose(mean, entry.estimate, rtol=1e-9, atol=ROUNDING):
        raise MetricError(
            f"{entry.name}: the estimate is {entry.estimate}, and the mean of its {len(seeds)} "
            f"seeds {mean}; give the mean over seeds as the estimate"
        )


def _align(entries: Sequence[ComparedEntry]) -> Floats:
    """Stack left-one-out values as `[E, S]`, one unit a column, whatever order they came in."""
    names = sorted(entries[0].units)
    for entry in entries[1:]:
        other = set(entry.units) ^ set(names)
        if other:
            raise MetricError(
                f"{entry.name} and {entries[0].name} are not on the same units: {len(other)} are "
                f"in one only, as {min(other)!r}; compare entries of one protocol version"
            )
    orders = [sorted(range(len(names)), key=each.units.__getitem__) for each in entries]
    rows = [np.asarray(each.left_out)[order] for each, order in zip(entries, orders, strict=True)]
    return np.stack(rows).astype(np.float64)
