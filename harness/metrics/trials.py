"""Scored verification trials with the speakers of both sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.errors import MetricError, check_same_length
from harness.metrics.sides import usable_labels

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Grouped:
    """Trials as weights see them: targets by speaker, nontargets by pair of speakers.

    Attributes:
        speakers: S.
        target_scores: `[T]`.
        target_speaker: `[T]`, positions in `Trials.speakers`.
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
        """`[S]`, how many target trials each speaker has."""
        return np.bincount(self.target_speaker, minlength=self.speakers)

    @cached_property
    def pair_counts(self) -> Indices:
        """`[P]`, how many nontarget trials each pair has."""
        return np.bincount(self.nontarget_pair, minlength=len(self.pair_first))


@dataclass(frozen=True, eq=False)
class Trials:
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
    def grouped(self) -> Grouped:
        """The trials as weights see them.

        >>> trials = Trials(
        ...     scores=np.array([0.9, 0.1, 0.2]),
        ...     is_target=np.array([True, False, False]),
        ...     enrol_speaker=np.array([7, 7, 9]),
        ...     test_speaker=np.array([7, 9, 7]),
        ... )
        >>> trials.grouped.nontarget_pair, trials.grouped.pair_counts
        (array([0, 0]), array([2]))
        """
        names, labels = self.speakers, self.is_target
        size = len(names)
        enrol = np.searchsorted(names, self.enrol_speaker[~labels])
        test = np.searchsorted(names, self.test_speaker[~labels])
        pairs, nontarget_pair = _pairs(
            np.minimum(enrol, test) * size + np.maximum(enrol, test), size * size
        )
        return Grouped(
            size,
            self.scores[labels],
            np.searchsorted(names, self.enrol_speaker[labels]),
            self.scores[~labels],
            nontarget_pair,
            pairs // size,
            pairs % size,
        )


def _pairs(codes: Indices, possible: int) -> tuple[Indices, Indices]:
    """Numbers the pairs among which trials fall: all there could be, or where few occur, those."""
    if possible <= len(codes):
        return np.arange(possible), codes
    pairs, places = np.unique(codes, return_inverse=True)
    return pairs, places
