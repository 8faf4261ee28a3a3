"""EER and minDCF when speakers weigh: a target trial of speaker i w_i, a nontarget w_i * w_k.

Under other weights the answer stays near the one without, so only a window of thresholds is looked
at closely, for many weight vectors together; rows whose answer lies outside take the whole list.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import (
    GroupedTrials,
    ScoredTrials,
    WeightSums,
    WindowTrials,
    weigh,
    weightless,
    window_trials,
)
from harness.metrics.validation import MetricError, usable_sides
from harness.metrics.window import Bounds, Sketch, sketch

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BLOCK_BYTES = 8 * 2**20
"""What a block's weights may take; its temporaries take a few times that."""

REACH = 6.0
"""By how many times the weights' own unevenness a metric may be expected to differ."""


PartMetric = Callable[[WindowTrials, WeightSums], tuple[Floats, NDArray[np.bool_]]]
"""Gives a metric of each row, and whether it is certain to be that of the whole list."""


def eer_with_weights(trials: ScoredTrials, weights: NDArray[Any]) -> Floats:
    """Compute the EER under each of R vectors of speakers' weights.

    A target trial of speaker i counts as w_i trials, a nontarget trial of speakers i and k as
    w_i * w_k; weights need not be whole. The definition is that of `harness.metrics.detection`.

    Args:
        trials: scored trials of S speakers.
        weights: `[R, S]`, nonnegative and finite, in the order of `trials.speakers`.

    Returns:
        `[R]`.

    Raises:
        MetricError: an empty side, unusable scores or weights, or a row in which a side weighs
            nothing.

    >>> trials = ScoredTrials(
    ...     scores=np.array([0.5, 0.4, 0.1, 0.9]),
    ...     is_target=np.array([True, True, False, False]),
    ...     enrol_speaker=np.array([0, 1, 0, 1]),
    ...     test_speaker=np.array([0, 1, 1, 2]),
    ... )
    >>> eer_with_weights(trials, [[1, 1, 1], [1, 1, 2]]).round(3).tolist()
    [0.5, 0.667]
    """
    predicted, table = _predict(trials, weights)
    return _in_windows(trials.groups, table, predicted.around_eer(_reach(table)), _eers)


def min_dcf_with_weights(
    trials: ScoredTrials, weights: NDArray[Any], point: OperatingPoint
) -> Floats:
    """Compute minDCF under each of R vectors of speakers' weights, as `eer_with_weights` does EER.

    Args:
        trials: scored trials of S speakers.
        weights: `[R, S]`.
        point: prior and costs.

    Returns:
        `[R]`, normalised as in `harness.metrics.detection`.

    Raises:
        MetricError: as `eer_with_weights`.
    """
    predicted, table = _predict(trials, weights)
    bounds = predicted.around_min_dcf(point, _reach(table))
    return _in_windows(trials.groups, table, bounds, partial(_min_costs, point=point))


def _predict(trials: ScoredTrials, weights: NDArray[Any]) -> tuple[Sketch, Floats]:
    """Check trials and weights; return a sketch of the unweighted trials, and the weights."""
    groups = trials.groups
    sides = usable_sides(groups.target_scores, groups.nontarget_scores)
    return sketch(*sides), _usable_weights(weights, groups)


def _reach(weights: Floats) -> float:
    """Return the relative change of a metric to expect under weights: REACH times their unevenness.

    That is how far the least even row is from equal weights: about S**-0.5 for draws of S speakers.
    """
    shares = weights / weights.mean(axis=1, keepdims=True) - 1
    furthest = float(np.sqrt((shares**2).sum(axis=1)).max(initial=0.0))
    return REACH * furthest / float(weights.shape[1])


def _in_windows(
    groups: GroupedTrials, weights: Floats, predicted: Bounds, metric: PartMetric
) -> Floats:
    """Compute a metric of every row, in the window if it lies there, else in the whole list."""
    values = np.empty(len(weights))
    outside = _fill(
        values, weights, np.arange(len(weights)), window_trials(groups, predicted), metric
    )
    if outside.size:
        _fill(values, weights, outside, window_trials(groups, Bounds()), metric)
    return values


def _fill(
    values: Floats, weights: Floats, rows: Indices, part: WindowTrials, metric: PartMetric
) -> Indices:
    """Fill in the metric of the rows, a block at a time; return the rows that lie outside."""
    trials = len(part.targets) + len(part.nontargets) + len(part.groups.pair_first)
    step = max(1, BLOCK_BYTES // (8 * trials))
    inside = np.empty(len(rows), dtype=np.bool_)
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        values[block], inside[start : start + step] = metric(part, weigh(part, weights[block]))
    return rows[~inside]


def _gaps(part: WindowTrials, sums: WeightSums, thresholds: Indices) -> Floats:
    """Return (miss rate - false-alarm rate) * both totals at one threshold a row, exactly."""
    rows = np.arange(len(thresholds))
    missed = sums.targets[rows, part.targets_below[thresholds]]
    rejected = sums.nontargets[rows, part.nontargets_below[thresholds]]
    all_targets, all_nontargets = sums.all_targets[:, 0], sums.all_nontargets[:, 0]
    gaps: Floats = missed * all_nontargets - (all_nontargets - rejected) * all_targets
    return gaps


def _crossings(part: WindowTrials, sums: WeightSums) -> Indices:
    """Find each row's first threshold with gap >= 0, by bisecting all rows together."""
    low = np.zeros(len(sums.targets), dtype=np.intp)
    high = np.full(len(sums.targets), len(part.targets_below) - 1, dtype=np.intp)
    for _ in range(len(part.targets_below).bit_length()):
        middle = (low + high) // 2
        reached = _gaps(part, sums, middle) >= 0
        low = np.where(reached, low, np.minimum(middle + 1, high))
        high = np.where(reached, middle, high)
    return high


def _eers(part: WindowTrials, sums: WeightSums) -> tuple[Floats, NDArray[np.bool_]]:
    if len(part.targets_below) < 2:  # a window without a score has no line to draw
        return np.zeros(len(sums.targets)), np.zeros(len(sums.targets), dtype=np.bool_)
    upper = np.maximum(_crossings(part, sums), 1)
    lower = upper - 1
    gap_lower, gap_upper = _gaps(part, sums, lower), _gaps(part, sums, upper)
    rows = np.arange(len(upper))
    missed_lower = sums.targets[rows, part.targets_below[lower]]
    missed_upper = sums.targets[rows, part.targets_below[upper]]
    inside = (gap_lower < 0) & (gap_upper >= 0)
    with np.errstate(invalid="ignore", divide="ignore"):  # rows that are not inside
        missed = (missed_lower * gap_upper - missed_upper * gap_lower) / (gap_upper - gap_lower)
    eers: Floats = missed / sums.all_targets[:, 0]
    return eers, inside


def _min_costs(
    part: WindowTrials, sums: WeightSums, point: OperatingPoint
) -> tuple[Floats, NDArray[np.bool_]]:
    c_miss, c_fa = point.weights
    costs = sums.nontargets.take(part.nontargets_below_target, axis=1)
    np.subtract(sums.all_nontargets, costs, out=costs)
    costs *= c_fa / sums.all_nontargets
    costs += sums.targets * (c_miss / sums.all_targets)
    least: Floats = np.min(costs, axis=1)
    return least, least <= _least_outside(part, sums, point)


def _least_outside(part: WindowTrials, sums: WeightSums, point: OperatingPoint) -> Floats:
    """Return the least that any threshold out of the window can cost each row."""
    c_miss, c_fa = point.weights
    least = np.full(len(sums.targets), math.inf)
    if math.isfinite(part.bounds.low):
        accepted = 1 - sums.nontargets[:, 0] / sums.all_nontargets[:, 0]
        least = np.minimum(least, c_fa * accepted)
    if math.isfinite(part.bounds.high):
        least = np.minimum(least, c_miss * sums.targets[:, -1] / sums.all_targets[:, 0])
    return least


def _usable_weights(weights: NDArray[Any], groups: GroupedTrials) -> Floats:
    table = np.asarray(weights, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != groups.speakers:
        raise MetricError(
            f"weights: shape {table.shape}, want [R, {groups.speakers}], one value a speaker"
        )
    bad = int(np.count_nonzero(~((table >= 0) & (table < np.inf))))
    if bad:
        raise MetricError(f"weights: {bad} are negative, NaN or infinite; give values >= 0")
    for name, empty in zip(("target", "nontarget"), weightless(groups, table), strict=True):
        if empty.size:
            raise MetricError(
                f"weights: {empty.size} rows give every {name} trial weight 0, the first is row "
                f"{empty[0]}; draw those rows again"
            )
    return table
