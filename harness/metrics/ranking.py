"""Rankings held against grades: pairs in the right order and Kendall's tau, over units.

A pair's two items may be of two units, whose pairs all move together. So units are resampled, not
pairs, as speakers are in verification: with w_i the number of times unit i was drawn, a pair within
unit i weighs w_i and one of units i and k weighs w_i * w_k.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kendalltau

from harness.metrics.intervals import draw_units
from harness.metrics.validation import MetricError, check_same_length, usable_scores

Floats = NDArray[np.float64]


def kendall_tau(scores: ArrayLike, grades: ArrayLike) -> float:
    """Compute Kendall's tau-b of a score and a grade, from -1 to 1; 0 for a score of one value.

    Kendall, "The Treatment of Ties in Ranking Problems", Biometrika 33(3), 1945: pairs in the same
    order less those in the opposite one, over the geometric mean of the pairs that do not tie in
    score and of those that do not in grade.

    Args:
        scores: `[N]`, higher means better.
        grades: `[N]`.

    Raises:
        MetricError: no items, lengths differ, NaN or infinite values, or grades that are all one.

    >>> round(kendall_tau([0.1, 0.4, 0.3, 0.9], [1, 2, 3, 4]), 6)
    0.666667
    """
    values, marks = usable_scores(scores, "scores"), usable_scores(grades, "grades")
    check_same_length(scores=values, grades=marks)
    if (marks == marks[0]).all():
        raise MetricError(f"grades: all {len(marks)} items have one grade; nothing is ranked")
    found = float(kendalltau(values, marks).statistic)
    return 0.0 if np.isnan(found) else found


def tau_replicates(
    scores: ArrayLike, grades: ArrayLike, units: ArrayLike, *, resamples: int = 1000, seed: int
) -> Floats:
    """Compute Kendall's tau on resampled units, `[R]`; a draw of items of one grade gives 0.

    Args:
        scores, grades: as of `kendall_tau`.
        units: `[N]`, of each item.
        resamples: R.
        seed: of the draws.
    """
    values, marks = usable_scores(scores, "scores"), usable_scores(grades, "grades")
    names, unit = np.unique(np.asarray(units), return_inverse=True)
    rng = np.random.default_rng(seed)
    found = np.zeros(resamples)
    for place, drawn in enumerate(draw_units(rng, len(names), resamples)):
        rows = np.repeat(np.arange(len(values)), drawn[unit])
        if (marks[rows] != marks[rows[0]]).any():
            found[place] = kendall_tau(values[rows], marks[rows])
    return found


def tau_left_one_out(scores: ArrayLike, grades: ArrayLike, units: ArrayLike) -> Floats:
    """Compute Kendall's tau with each unit's items left out, `[S]`, in the order of `np.unique`."""
    values, marks = usable_scores(scores, "scores"), usable_scores(grades, "grades")
    names = np.asarray(units)
    return np.array(
        [kendall_tau(values[names != unit], marks[names != unit]) for unit in np.unique(names)]
    )


class UnitPairs:
    """Points of pairs, summed by the units of their two sides.

    Args:
        points: `[P]`, 1 for a pair in the right order, 0.5 for a tie, else 0 (see `pair_points`).
        first, second: `[P]`, the unit of each side.

    Raises:
        MetricError: no pairs, or lengths differ.

    >>> pairs = UnitPairs([1.0, 0.0, 1.0], ["a", "a", "b"], ["b", "a", "c"])
    >>> round(pairs.accuracy, 6), pairs.left_one_out().tolist()
    (0.666667, [1.0, 0.0, 0.5])
    """

    def __init__(self, points: ArrayLike, first: ArrayLike, second: ArrayLike) -> None:
        won = usable_scores(points, "points")
        sides: tuple[NDArray[Any], NDArray[Any]] = (np.asarray(first), np.asarray(second))
        check_same_length(points=won, first=sides[0], second=sides[1])
        self.units, codes = np.unique(np.concatenate(sides), return_inverse=True)
        one, two = codes[: len(won)], codes[len(won) :]
        # Both orders of two units are one cell: the upper half of the table.
        cell = np.minimum(one, two) * len(self.units) + np.maximum(one, two)
        size = len(self.units) ** 2
        shape = (len(self.units), len(self.units))
        self._won = np.bincount(cell, won, minlength=size).astype(np.float64).reshape(shape)
        pairs = np.bincount(cell, minlength=size).reshape(shape)
        self._pairs: Floats = pairs.astype(np.float64)

    @property
    def accuracy(self) -> float:
        """The share of pairs in the right order."""
        return float(self._won.sum() / self._pairs.sum())

    def replicates(self, *, resamples: int = 1000, seed: int) -> Floats:
        """Compute the share on resampled units, `[R]`; a draw without a pair gives the whole's."""
        rng = np.random.default_rng(seed)
        drawn = draw_units(rng, len(self.units), resamples).astype(np.float64)
        won, pairs = self._weighed(self._won, drawn), self._weighed(self._pairs, drawn)
        whole = np.full(resamples, self.accuracy)
        np.divide(won, pairs, out=whole, where=pairs > 0)
        return whole

    def left_one_out(self) -> Floats:
        """Compute the share without the pairs of each unit, `[S]`, in the order of `units`.

        Raises:
            MetricError: all pairs are of one unit.
        """
        won, pairs = (_without_each(table) for table in (self._won, self._pairs))
        if (pairs == 0).any():
            lone = self.units[int(np.flatnonzero(pairs == 0)[0])]
            raise MetricError(f"every pair is of the unit {lone}; give pairs of other units too")
        return np.asarray(won / pairs, dtype=np.float64)

    @staticmethod
    def _weighed(table: Floats, drawn: Floats) -> Floats:
        within = np.diag(table)
        across = table - np.diag(within)
        return np.asarray(((drawn @ across) * drawn).sum(axis=1) + drawn @ within)


def _without_each(table: Floats) -> Floats:
    touched = table.sum(axis=0) + table.sum(axis=1) - np.diag(table)
    return np.asarray(table.sum() - touched)
