"""Pairwise ranking accuracy: how often a score puts the better of two items first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.validation import MetricError, check_same_length, usable_scores

Floats = NDArray[np.float64]


def pairwise_accuracy(preferred_scores: ArrayLike, other_scores: ArrayLike) -> float:
    """Compute the fraction of P pairs whose preferred item scores higher; a tie counts half.

    A score that is the same for all reads 0.5, as does one drawn at random.

    Args:
        preferred_scores: `[P]`, the score of the item that the reference prefers.
        other_scores: `[P]`, the score of the pair's other item.

    Raises:
        MetricError: no pairs, lengths differ, or NaN or infinite scores.

    >>> pairwise_accuracy([0.9, 0.4, 0.2], [0.1, 0.4, 0.3])
    0.5
    """
    return float(np.mean(pair_points(preferred_scores, other_scores)))


def pair_points(preferred_scores: ArrayLike, other_scores: ArrayLike) -> Floats:
    """Give each pair 1 if the preferred item scores higher, 0.5 for a tie, and 0 otherwise.

    Args:
        preferred_scores: `[P]`, as in `pairwise_accuracy`.
        other_scores: `[P]`, as in `pairwise_accuracy`.

    Returns:
        `[P]`: what `harness.metrics.means` resamples.

    Raises:
        MetricError: as `pairwise_accuracy`.

    >>> pair_points([0.9, 0.4, 0.2], [0.1, 0.4, 0.3])
    array([1. , 0.5, 0. ])
    """
    preferred = usable_scores(preferred_scores, "preferred scores")
    other = usable_scores(other_scores, "other scores")
    check_same_length(preferred_scores=preferred, other_scores=other)
    points: Floats = (preferred > other) + 0.5 * (preferred == other)
    return points


@dataclass(frozen=True, eq=False)
class GradedPairs:
    """The pairs of items of different grade, and how a score orders them, group by group.

    The uncertainty of `macro` is `mean_interval(rates, groups, seed=...)`; of `micro`, the same
    with `counts=pairs`; both of `harness.metrics.means`.

    Attributes:
        groups: `[G]`, the groups that have a pair, ascending.
        points: `[G]`, pairs in the order of the grades, and half of those that tie in score.
        pairs: `[G]`, how many pairs each group has, from 1.
        without_pairs: `[H]`, the groups that have none, since all their items have one grade;
            `macro` and `micro` are over the others.
    """

    groups: NDArray[Any]
    points: Floats
    pairs: NDArray[np.int64]
    without_pairs: NDArray[Any]

    @property
    def rates(self) -> Floats:
        """The pairwise accuracy of each group, `[G]`."""
        rates: Floats = self.points / self.pairs
        return rates

    @property
    def macro(self) -> float:
        """The mean over groups of each one's pairwise accuracy: a group weighs as any other."""
        return float(np.mean(self.rates))

    @property
    def micro(self) -> float:
        """The pairwise accuracy over all pairs together: a pair weighs as any other."""
        return float(self.points.sum() / self.pairs.sum())


def compare_graded_pairs(scores: ArrayLike, grades: ArrayLike, groups: ArrayLike) -> GradedPairs:
    """Hold a score against grades on all pairs of items of one group that differ in grade.

    Pairs of one grade say nothing and are left out; a tie in score counts half. It is Somers' D of
    score given grade, moved from [-1, 1] to [0, 1]. Memory grows with N, not with the pairs.

    Args:
        scores: `[N]`, higher means better.
        grades: `[N]`, what the reference gives each item, higher means better.
        groups: `[N]`, the name or code of each item's group (dialogue); only items of one group
            are compared.

    Raises:
        MetricError: no items, lengths differ, NaN or infinite scores or grades, or no pair at all.

    >>> found = compare_graded_pairs([0.1, 0.5, 0.9, 0.3, 0.2], [1, 2, 3, 1, 2], list("aaabb"))
    >>> found.rates, found.macro, found.micro
    (array([1., 0.]), 0.5, 0.75)
    """
    values, marks = usable_scores(scores, "scores"), usable_scores(grades, "grades")
    names = np.asarray(groups)
    check_same_length(scores=values, grades=marks, groups=names)
    distinct, group = np.unique(names, return_inverse=True)
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    counted = [_points_and_pairs(values[rows], marks[rows]) for rows in members]
    points, pairs = np.array([p for p, _ in counted]), np.array([c for _, c in counted], np.int64)
    some = pairs > 0
    if not some.any():
        raise MetricError(
            f"grades: no pair in {len(distinct)} groups of {len(values)} items, for all items of a "
            "group have one grade; give groups whose items differ"
        )
    return GradedPairs(distinct[some], points[some], pairs[some], distinct[~some])


def _points_and_pairs(
    scores: NDArray[np.floating[Any]], grades: NDArray[np.floating[Any]]
) -> tuple[float, int]:
    """Count one group: the items of each grade against all that are graded lower."""
    points, pairs = 0.0, 0
    for grade in np.unique(grades)[1:]:
        higher, lower = scores[grades == grade], np.sort(scores[grades < grade])
        below = np.searchsorted(lower, higher, side="left").sum()
        not_above = np.searchsorted(lower, higher, side="right").sum()
        points += 0.5 * float(below + not_above)
        pairs += len(higher) * len(lower)
    return points, pairs
