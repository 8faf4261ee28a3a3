"""Weights of trials summed up over a window of thresholds, for many vectors of weights at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from harness.metrics.trials import Grouped
from harness.metrics.window import Bounds

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Part:
    """The trials of one window, ascending, and which speakers and pairs are below and in all.

    Attributes:
        groups: all trials.
        bounds: the window.
        targets: `[t]`, speakers of its targets.
        nontargets: `[m]`, pairs of its nontargets.
        targets_below: `[g + 1]`, how many of its targets score less than each threshold: its
            distinct scores, then its high end.
        nontargets_below: `[g + 1]`, the same of its nontargets.
        nontargets_below_target: `[t + 1]`, how many of its nontargets score less than each of
            its targets, then than its high end.
        under_targets: `[S]`, how many targets of each speaker score less than its low end.
        under_nontargets: `[P]`, the same of the pairs' nontargets.
    """

    groups: Grouped
    bounds: Bounds
    targets: Indices
    nontargets: Indices
    targets_below: Indices
    nontargets_below: Indices
    nontargets_below_target: Indices
    under_targets: Indices
    under_nontargets: Indices


def part_of(groups: Grouped, bounds: Bounds) -> Part:
    """Sorts the trials of one window, and counts those below it."""
    target_scores, targets = _inside(groups.target_scores, groups.target_speaker, bounds)
    scores, nontargets = _inside(groups.nontarget_scores, groups.nontarget_pair, bounds)
    thresholds = np.append(np.union1d(target_scores, scores), bounds.high)
    low = bounds.low
    return Part(
        groups,
        bounds,
        targets,
        nontargets,
        np.searchsorted(target_scores, thresholds),
        np.searchsorted(scores, thresholds),
        np.searchsorted(scores, np.append(target_scores, bounds.high)),
        _counts(groups.target_speaker[groups.target_scores < low], groups.speakers),
        _counts(groups.nontarget_pair[groups.nontarget_scores < low], len(groups.pair_first)),
    )


def _inside(
    scores: NDArray[np.floating[Any]], names: Indices, bounds: Bounds
) -> tuple[Floats, Indices]:
    """Scores in the bounds, ascending and in float64, and whose they are."""
    chosen = np.flatnonzero(bounds.holds(scores))
    chosen = chosen[np.argsort(scores[chosen], kind="stable")]
    return scores[chosen].astype(np.float64), names[chosen]


def _counts(names: Indices, size: int) -> Indices:
    return np.bincount(names, minlength=size)


@dataclass(frozen=True, eq=False)
class Sums:
    """Weights of a block of B rows.

    Attributes:
        targets: `[B, t + 1]`, column j holds the weight of all targets below the part's j-th.
        nontargets: `[B, m + 1]`, the same of the nontargets.
        all_targets: `[B, 1]`.
        all_nontargets: `[B, 1]`.
    """

    targets: Floats
    nontargets: Floats
    all_targets: Floats
    all_nontargets: Floats


def weigh(part: Part, weights: Floats) -> Sums:
    """Sums the weights of a part's trials up, for each of B rows.

    Args:
        part: a window's trials.
        weights: `[B, S]`, of the speakers.
    """
    groups = part.groups
    pairs = weights.take(groups.pair_first, axis=1)
    pairs *= weights.take(groups.pair_second, axis=1)
    return Sums(
        _running(weights, part.targets, part.under_targets),
        _running(pairs, part.nontargets, part.under_nontargets),
        (weights @ groups.target_counts)[:, np.newaxis],
        (pairs @ groups.pair_counts)[:, np.newaxis],
    )


def _running(weights: Floats, names: Indices, under: Indices) -> Floats:
    running = np.empty((len(weights), len(names) + 1))
    running[:, 0] = weights @ under
    weights.take(names, axis=1, out=running[:, 1:], mode="clip")
    return np.cumsum(running, axis=1, out=running)


def weightless(groups: Grouped, weights: NDArray[Any]) -> tuple[Indices, Indices]:
    """Finds the rows in which all targets, and those in which all nontargets, weigh nothing.

    Args:
        groups: the trials.
        weights: `[R, S]`, nonnegative.
    """
    shape = (groups.speakers, groups.speakers)
    occurs = csr_array((groups.pair_counts > 0, (groups.pair_first, groups.pair_second)), shape)
    weighs = (weights > 0).astype(np.float64)
    pairs = np.sum(np.asarray(weighs @ occurs) * weighs, axis=1)
    targets = weighs @ groups.target_counts
    return np.flatnonzero(targets == 0), np.flatnonzero(pairs == 0)
