"""Uncertainty of a mean over items when their units (drawers, speakers) are resampled."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.intervals import Interval, draw_units, half_trial, logit_interval
from harness.metrics.validation import (
    MetricError,
    check_finite,
    check_none,
    check_same_length,
    check_vector,
)

Floats = NDArray[np.float64]


def mean_replicates(
    values: ArrayLike,
    units: ArrayLike,
    *,
    counts: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int,
) -> Floats:
    """Compute a mean over items on draws, with replacement, of the units they belong to.

    Args:
        values: `[N]`, each item's value; the metric is their mean.
        units: `[N]`, the name or code of each item's unit (drawer, speaker, object, dialogue);
            items of one unit are drawn together. If each item is a unit of its own, give
            `range(N)`.
        counts: `[N]`, of how many trials each value is itself the mean (the pairs of a group, the
            words of a turn); the metric is then the mean over these. One each, unless given.
        resamples: how many draws.
        seed: of the draws.

    Returns:
        `[resamples]`.

    Raises:
        MetricError: no items, lengths differ, NaN or infinite values, counts that are not whole
            numbers from 1, or no resamples.

    >>> mean_replicates([0.5, 0.5], ["ann", "bob"], resamples=3, seed=0)
    array([0.5, 0.5, 0.5])
    """
    return _replicates(*_by_unit(values, units, counts), resamples, seed)


def mean_interval(
    values: ArrayLike,
    units: ArrayLike,
    *,
    counts: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int,
) -> Interval:
    """Compute the confidence interval over units of a mean of rates, by `logit_interval`.

    Args:
        values: `[N]`, each from 0 to 1: 0 and 1 for wrong and right, or a rate of the item's own.
        units: `[N]`, as in `mean_replicates`.
        counts: `[N]`, as in `mean_replicates`.
        level: confidence.
        resamples: how many draws.
        seed: of the draws.

    Raises:
        MetricError: as `mean_replicates`, a value out of [0, 1], or fewer than two units.

    >>> round(mean_interval([1.0] * 10, range(10), seed=0).low, 6)
    0.691503
    """
    sums, totals = _by_unit(values, units, counts)
    rates = np.asarray(values, dtype=np.float64)
    mend = "this interval is for rates, given as fractions"
    check_none((rates < 0) | (rates > 1), "values", "out of [0, 1]", mend)
    replicates = _replicates(sums, totals, resamples, seed)
    estimate, floor = float(sums.sum() / totals.sum()), half_trial(int(totals.sum()))
    return logit_interval(estimate, replicates, len(totals), level, floor=floor)


def left_one_out_mean(
    values: ArrayLike, units: ArrayLike, *, counts: ArrayLike | None = None
) -> Floats:
    """Compute a mean over items with the items of each unit left out.

    Args:
        values: `[N]`, as in `mean_replicates`.
        units: `[N]`, as in `mean_replicates`.
        counts: `[N]`, as in `mean_replicates`.

    Returns:
        `[S]`, in the order of `np.unique(units)`.

    Raises:
        MetricError: as `mean_replicates`, or fewer than two units.

    >>> left_one_out_mean([0.25, 1.0, 0.5], ["ann", "bob", "bob"])
    array([0.75, 0.25])
    """
    sums, totals = _by_unit(values, units, counts)
    if len(totals) < 2:
        raise MetricError("all items are of one unit; leaving one out needs at least 2 units")
    means: Floats = (sums.sum() - sums) / (totals.sum() - totals)
    return means


def _replicates(sums: Floats, totals: Floats, resamples: int, seed: int) -> Floats:
    draws = draw_units(np.random.default_rng(seed), len(totals), resamples)
    replicates: Floats = (draws @ sums) / (draws @ totals)
    return replicates


def _by_unit(
    values: ArrayLike, units: ArrayLike, counts: ArrayLike | None
) -> tuple[Floats, Floats]:
    """Return the sum of each unit's values, and of its counts: each `[S]`.

    Sums of whole numbers are exact in float64, so means of 0 and 1 are the same on every machine.
    """
    array, names = np.asarray(values, dtype=np.float64), np.asarray(units)
    check_vector(array, "values")
    check_same_length(values=array, units=names)
    check_finite(array, "values")
    weights = np.ones(array.shape) if counts is None else _usable_counts(counts, array)
    distinct, unit = np.unique(names, return_inverse=True)
    sums, totals = (
        np.asarray(np.bincount(unit, side, minlength=len(distinct)), dtype=np.float64)
        for side in (array * weights, weights)
    )
    return sums, totals


def _usable_counts(counts: ArrayLike, values: Floats) -> Floats:
    array = np.asarray(counts)
    check_same_length(values=values, counts=array)
    if array.dtype.kind not in "iu":
        raise MetricError(f"counts: dtype {array.dtype}, want whole numbers; give trials an item")
    mend = "an item without a trial has no value, leave it out"
    check_none(array < 1, "counts", "below 1", mend)
    return array.astype(np.float64)
