"""Scored verification trials with the speakers of both sides, and their weighted sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from harness.metrics.validation import MetricError, check_same_length, usable_labels
from harness.metrics.window import Bounds

Indices = NDArray[np.intp]


Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupedTrials:
    """Trials grouped for weights: targets by speaker, nontargets by pair of speakers.

    Attributes:
        speakers: S.
        target_scores: `[T]`.
        target_speaker: `[T]`, positions in `ScoredTrials.speakers`.
        nontarget_scores: `[M]`.
        nontarget_pair: `[M]`, positions among the P pairs.
        pair_first, pair_second: `[P]`, the two speakers of each pair, whichever was enrolled;
            a pair may have no trial.
    """

    speakers: int
    target_scores: NDArray[np.floating[Any]]
    target_speaker: Indices
    nontarget_scores: NDArray[np.floating[Any]]
    nontarget_pair: Indices
    pair_first: Indices
    pair_second: Indices

    @cached_property
    def target_counts(self) -> Indices:
        """`[S]`, number of target trials of each speaker."""
        return np.bincount(self.target_speaker, minlength=self.speakers)

    @cached_property
    def pair_counts(self) -> Indices:
        """`[P]`, number of nontarget trials of each pair."""
        return np.bincount(self.nontarget_pair, minlength=len(self.pair_first))


@dataclass(frozen=True, eq=False)
class ScoredTrials:
    """Scored verification trials.

    Attributes:
        scores: `[N]`, higher means more alike.
        is_target: `[N]`, boolean.
        enrol_speaker: `[N]`, integer code of the enrolled speaker.
        test_speaker: `[N]`, integer code of the test speaker, of the same numbering.

    Raises:
        MetricError: lengths or dtypes differ from these, or a label contradicts the speakers.
    """

    scores: NDArray[np.floating[Any]]
    is_target: NDArray[np.bool_]
    enrol_speaker: NDArray[np.integer[Any]]
    test_speaker: NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        usable_labels(self.is_target)
        check_same_length(
            scores=self.scores,
            is_target=self.is_target,
            enrol_speaker=self.enrol_speaker,
            test_speaker=self.test_speaker,
        )
        for name, codes in (("enrol", self.enrol_speaker), ("test", self.test_speaker)):
            if codes.dtype.kind not in "iu":
                raise MetricError(f"{name}_speaker: dtype {codes.dtype}; give integer codes")
        wrong = np.flatnonzero(self.is_target != (self.enrol_speaker == self.test_speaker))
        if wrong.size:
            raise MetricError(
                f"{wrong.size} of {len(self.scores)} trials have a label that "
                f"contradicts their speakers, the first at position {wrong[0]}; a target trial has "
                "the same speaker on both sides, a nontarget trial does not"
            )

    @cached_property
    def speakers(self) -> NDArray[np.integer[Any]]:
        """The S codes that occur on either side, ascending: the resampling units."""
        return np.union1d(np.unique(self.enrol_speaker), np.unique(self.test_speaker))

    @property
    def fewest(self) -> int:
        """The number of trials of the side (target, nontarget) that has fewer."""
        targets = int(np.count_nonzero(self.is_target))
        return min(targets, len(self.scores) - targets)

    @cached_property
    def groups(self) -> GroupedTrials:
        """The trials grouped for weights.

        >>> trials = ScoredTrials(
        ...     scores=np.array([0.9, 0.1, 0.2]),
        ...     is_target=np.array([True, False, False]),
        ...     enrol_speaker=np.array([7, 7, 9]),
        ...     test_speaker=np.array([7, 9, 7]),
        ... )
        >>> trials.groups.nontarget_pair, trials.groups.pair_counts
        (array([0, 0]), array([2]))
        """
        names, labels = self.speakers, self.is_target
        size = len(names)
        enrol = np.searchsorted(names, self.enrol_speaker[~labels])
        test = np.searchsorted(names, self.test_speaker[~labels])
        pairs, nontarget_pair = _pairs(
            np.minimum(enrol, test) * size + np.maximum(enrol, test), size * size
        )
        return GroupedTrials(
            size,
            self.scores[labels],
            np.searchsorted(names, self.enrol_speaker[labels]),
            self.scores[~labels],
            nontarget_pair,
            pairs // size,
            pairs % size,
        )


def _pairs(codes: Indices, possible: int) -> tuple[Indices, Indices]:
    """Number the pairs of speakers: all possible ones, or only those that occur if they are few."""
    if possible <= len(codes):
        return np.arange(possible), codes
    pairs, places = np.unique(codes, return_inverse=True)
    return pairs, places


@dataclass(frozen=True, eq=False)
class WindowTrials:
    """The trials of one window, ascending, with the speakers and pairs below it.

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

    groups: GroupedTrials
    bounds: Bounds
    targets: Indices
    nontargets: Indices
    targets_below: Indices
    nontargets_below: Indices
    nontargets_below_target: Indices
    under_targets: Indices
    under_nontargets: Indices


def window_trials(groups: GroupedTrials, bounds: Bounds) -> WindowTrials:
    """Sort the trials of one window, and count those below it."""
    target_scores, targets = _inside(groups.target_scores, groups.target_speaker, bounds)
    scores, nontargets = _inside(groups.nontarget_scores, groups.nontarget_pair, bounds)
    thresholds = np.append(np.union1d(target_scores, scores), bounds.high)
    low = bounds.low
    return WindowTrials(
        groups,
        bounds,
        targets,
        nontargets,
        np.searchsorted(target_scores, thresholds),
        np.searchsorted(scores, thresholds),
        np.searchsorted(scores, np.append(target_scores, bounds.high)),
        np.bincount(groups.target_speaker[groups.target_scores < low], minlength=groups.speakers),
        np.bincount(
            groups.nontarget_pair[groups.nontarget_scores < low], minlength=len(groups.pair_first)
        ),
    )


def _inside(
    scores: NDArray[np.floating[Any]], names: Indices, bounds: Bounds
) -> tuple[Floats, Indices]:
    """Return the scores in the bounds, ascending and in float64, and their names."""
    chosen = np.flatnonzero(bounds.holds(scores))
    chosen = chosen[np.argsort(scores[chosen], kind="stable")]
    return scores[chosen].astype(np.float64), names[chosen]


@dataclass(frozen=True, eq=False)
class WeightSums:
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


def weigh(part: WindowTrials, weights: Floats) -> WeightSums:
    """Sum the weights of a part's trials up, for each of B rows.

    Args:
        part: a window's trials.
        weights: `[B, S]`, of the speakers.
    """
    groups = part.groups
    pairs = weights.take(groups.pair_first, axis=1)
    pairs *= weights.take(groups.pair_second, axis=1)
    return WeightSums(
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


def weightless(groups: GroupedTrials, weights: NDArray[Any]) -> tuple[Indices, Indices]:
    """Find the rows in which all targets, and those in which all nontargets, weigh nothing.

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
