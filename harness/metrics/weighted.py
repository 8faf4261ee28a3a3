"""EER and minDCF under nonnegative weights of the trials, for many weight vectors from one sort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.dcf import OperatingPoint
from harness.metrics.errors import MetricError, check_same_length, usable_scores

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
SideWeights = Callable[[slice], tuple[NDArray[Any], NDArray[Any]]]

BLOCK_BYTES = 8 * 2**20
"""What a block's weights may take; its temporaries take a few times that."""


@dataclass(frozen=True, eq=False)
class ScoreOrder:
    """What one sort tells about N trials: T targets, M nontargets, G distinct scores.

    Attributes:
        targets: `[T]`, positions of the targets, by ascending score.
        nontargets: `[M]`, positions of the nontargets, by ascending score.
        targets_below: `[G + 1]`, how many targets score less than each threshold: the distinct
            scores, ascending, then +inf.
        nontargets_below: `[G + 1]`, the same of nontargets.
        nontargets_below_target: `[T + 1]`, how many nontargets score less than each target, in
            the order of `targets`, then less than +inf.
    """

    targets: Indices
    nontargets: Indices
    targets_below: Indices
    nontargets_below: Indices
    nontargets_below_target: Indices


def score_order(scores: ArrayLike, is_target: NDArray[np.bool_]) -> ScoreOrder:
    """Sorts trials once for any number of weight vectors.

    Args:
        scores: `[N]`.
        is_target: `[N]`, boolean.

    Raises:
        MetricError: lengths differ, labels are not boolean, an empty side, NaN or infinite scores.

    >>> score_order([0.9, 0.2, 0.9], np.array([True, False, False])).targets_below
    array([0, 0, 1])
    """
    values, labels = _usable_trials(scores, is_target)
    order = np.argsort(values, kind="stable")
    targets, nontargets = order[labels[order]], order[~labels[order]]
    thresholds = np.append(np.unique(values), np.inf)
    return ScoreOrder(
        targets,
        nontargets,
        np.searchsorted(values[targets], thresholds),
        np.searchsorted(values[nontargets], thresholds),
        np.searchsorted(values[nontargets], np.append(values[targets], np.inf)),
    )


def weighted_eer_min_dcf(
    scores: ArrayLike,
    is_target: NDArray[np.bool_],
    weights: NDArray[Any],
    point: OperatingPoint,
) -> tuple[Floats, Floats]:
    """Computes EER and minDCF under each of R weight vectors.

    A trial of weight 2 counts as two trials, one of weight 0 as none; weights need not be whole.
    The definitions are those of `harness.metrics.eer` and `harness.metrics.dcf`.

    Args:
        scores: `[N]`.
        is_target: `[N]`, boolean.
        weights: `[R, N]`, nonnegative and finite.
        point: prior and costs for minDCF.

    Returns:
        EER `[R]` and minDCF `[R]`.

    Raises:
        MetricError: unusable scores, labels or weights, or a row in which a side weighs nothing.

    >>> ones_and_twos = np.array([[1, 1, 1], [1, 1, 2]])
    >>> weighted_eer_min_dcf(
    ...     [0.5, 0.1, 0.9], np.array([True, False, False]), ones_and_twos, OperatingPoint(0.5)
    ... )
    (array([0.5       , 0.66666667]), array([0.5       , 0.66666667]))
    """
    order = score_order(scores, is_target)
    table = _usable_weights(weights, len(order.targets) + len(order.nontargets))

    def side_weights(rows: slice) -> tuple[NDArray[Any], NDArray[Any]]:
        return table[rows].take(order.targets, axis=1), table[rows].take(order.nontargets, axis=1)

    return eer_min_dcf_in_blocks(order, side_weights, point, rows=len(table))


def eer_min_dcf_in_blocks(
    order: ScoreOrder, side_weights: SideWeights, point: OperatingPoint, *, rows: int
) -> tuple[Floats, Floats]:
    """Computes EER and minDCF of `rows` weight vectors, some rows at a time to bound memory.

    Args:
        order: the sorted trials.
        side_weights: gives, for a slice of rows, the weights of the targets `[B, T]` and of the
            nontargets `[B, M]`, each in the order of `order`.
        point: prior and costs for minDCF.
        rows: how many weight vectors there are.

    Raises:
        MetricError: a row in which a side weighs nothing.
    """
    eers, costs = np.empty(rows), np.empty(rows)
    step = max(1, BLOCK_BYTES // (16 * (len(order.targets) + len(order.nontargets))))
    for start in range(0, rows, step):
        block = slice(start, min(start + step, rows))
        sums = _sums(*side_weights(block), first_row=start)
        eers[block] = _eers(order, sums)
        costs[block] = _min_costs(order, sums, point)
    return eers, costs


@dataclass(frozen=True, eq=False)
class _Sums:
    """Running weights of a block of rows: column j holds the weight of a side's j lowest trials."""

    targets: Floats
    nontargets: Floats


def _sums(target_weights: NDArray[Any], nontarget_weights: NDArray[Any], first_row: int) -> _Sums:
    sums = _Sums(_running(target_weights), _running(nontarget_weights))
    for side, name in ((sums.targets, "target"), (sums.nontargets, "nontarget")):
        empty = np.flatnonzero(side[:, -1] <= 0)
        if empty.size:
            raise MetricError(
                f"weights: {empty.size} rows give every {name} trial weight 0, the first is row "
                f"{first_row + empty[0]}; draw those rows again"
            )
    return sums


def _running(weights: NDArray[Any]) -> Floats:
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _gaps(order: ScoreOrder, sums: _Sums, thresholds: Indices) -> Floats:
    """(Miss rate - false-alarm rate) * both totals, at one threshold a row; exact for integers."""
    rows = np.arange(len(thresholds))
    missed = sums.targets[rows, order.targets_below[thresholds]]
    rejected = sums.nontargets[rows, order.nontargets_below[thresholds]]
    all_targets, all_nontargets = sums.targets[:, -1], sums.nontargets[:, -1]
    gaps: Floats = missed * all_nontargets - (all_nontargets - rejected) * all_targets
    return gaps


def _crossings(order: ScoreOrder, sums: _Sums) -> Indices:
    """Each row's first threshold with gap >= 0, found by bisecting all rows together."""
    low = np.zeros(len(sums.targets), dtype=np.intp)
    high = np.full(len(sums.targets), len(order.targets_below) - 1, dtype=np.intp)
    for _ in range(len(order.targets_below).bit_length()):
        middle = (low + high) // 2
        reached = _gaps(order, sums, middle) >= 0
        low = np.where(reached, low, np.minimum(middle + 1, high))
        high = np.where(reached, middle, high)
    return high


def _eers(order: ScoreOrder, sums: _Sums) -> Floats:
    upper = _crossings(order, sums)
    lower = upper - 1
    gap_lower, gap_upper = _gaps(order, sums, lower), _gaps(order, sums, upper)
    rows = np.arange(len(upper))
    missed_lower = sums.targets[rows, order.targets_below[lower]]
    missed_upper = sums.targets[rows, order.targets_below[upper]]
    missed = (missed_lower * gap_upper - missed_upper * gap_lower) / (gap_upper - gap_lower)
    eers: Floats = missed / sums.targets[:, -1]
    return eers


def _min_costs(order: ScoreOrder, sums: _Sums, point: OperatingPoint) -> Floats:
    c_miss, c_fa = point.weights
    missed = sums.targets / sums.targets[:, -1:]
    totals = sums.nontargets[:, -1:]
    accepted = (totals - sums.nontargets.take(order.nontargets_below_target, axis=1)) / totals
    costs: Floats = np.min(c_miss * missed + c_fa * accepted, axis=1)
    return costs


def _usable_trials(
    scores: ArrayLike, is_target: NDArray[np.bool_]
) -> tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]:
    values, labels = usable_scores(scores, "scores"), np.asarray(is_target)
    check_same_length(scores=values, is_target=labels)
    if labels.dtype != np.bool_:
        raise MetricError(f"is_target: dtype {labels.dtype}, want bool; pass labels == 1")
    for side, name in ((labels, "target"), (~labels, "nontarget")):
        if not side.any():
            raise MetricError(f"{name} scores: there are none; the trial list needs at least one")
    return values, labels


def _usable_weights(weights: NDArray[Any], trials: int) -> NDArray[Any]:
    table = np.asarray(weights)
    if table.ndim != 2 or table.shape[1] != trials:
        raise MetricError(f"weights: shape {table.shape}, want [R, {trials}], one value a trial")
    # min() of a NaN is NaN, which fails both comparisons.
    if table.size and not (table.min() >= 0 and table.max() < np.inf):
        bad = int(np.count_nonzero(~((table >= 0) & (table < np.inf))))
        raise MetricError(f"weights: {bad} are negative, NaN or infinite; give values >= 0")
    return table
