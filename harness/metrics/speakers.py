"""How far EER and minDCF would move with other speakers: bootstrap and leave-one-out.

A verification trial has two sides, and a speaker's trials all move together. So speakers are
resampled, not trials: drawn once, with replacement, on the union of both sides. With w_i the number
of times speaker i was drawn, a target trial of speaker i weighs w_i and a nontarget trial of
speakers i and k weighs w_i * w_k (docs/design.md, rule 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from harness.metrics.dcf import OperatingPoint
from harness.metrics.errors import MetricError, check_same_length
from harness.metrics.intervals import Interval, draw_units, half_trial, logit_interval
from harness.metrics.weighted import ScoreOrder, eer_min_dcf_in_blocks, score_order

__all__ = [
    "Interval",
    "SpeakerReplicates",
    "Trials",
    "half_trial",
    "left_one_out",
    "logit_interval",
    "speaker_replicates",
]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


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

    @property
    def speakers(self) -> NDArray[np.integer[Any]]:
        """The S codes that occur on either side, ascending: the resampling units."""
        return np.union1d(self.enrol_speaker, self.test_speaker)

    @property
    def fewest(self) -> int:
        """The number of trials of the side (target, nontarget) that has fewer."""
        targets = int(np.count_nonzero(self.is_target))
        return min(targets, len(self.scores) - targets)


@dataclass(frozen=True, eq=False)
class SpeakerReplicates:
    """EER and minDCF on resampled speakers.

    Attributes:
        eer: `[R]`, fractions.
        min_dcf: `[R]`, normalised.
        units: S, the number of speakers that were resampled.
        redrawn: how many draws held no target or no nontarget trial and were drawn again.
    """

    eer: Floats
    min_dcf: Floats
    units: int
    redrawn: int


def speaker_replicates(
    trials: Trials, point: OperatingPoint, *, resamples: int = 1000, seed: int
) -> SpeakerReplicates:
    """Computes EER and minDCF on `resamples` draws of the speakers.

    Raises:
        MetricError: an empty side, NaN or infinite scores, or no resamples.

    >>> trials = Trials(
    ...     scores=np.array([0.9, 0.8, 0.1, 0.2]),
    ...     is_target=np.array([True, True, False, False]),
    ...     enrol_speaker=np.array([0, 1, 0, 1]),
    ...     test_speaker=np.array([0, 1, 1, 0]),
    ... )
    >>> replicates = speaker_replicates(trials, OperatingPoint(), resamples=3, seed=0)
    >>> replicates.eer, replicates.units
    (array([0., 0., 0.]), 2)
    """
    order = score_order(trials.scores, trials.is_target)
    sides = _sides(trials, order)
    draws, redrawn = _usable_draws(sides, resamples, np.random.default_rng(seed))
    weights = draws.astype(np.float64)

    def side_weights(rows: slice) -> tuple[Floats, Floats]:
        block = weights[rows]
        pairs = block.take(sides.enrol, axis=1)
        pairs *= block.take(sides.test, axis=1)
        return block.take(sides.target, axis=1), pairs

    eers, costs = eer_min_dcf_in_blocks(order, side_weights, point, rows=resamples)
    return SpeakerReplicates(eers, costs, sides.speakers, redrawn)


def left_one_out(trials: Trials, point: OperatingPoint) -> tuple[Floats, Floats]:
    """Computes EER and minDCF with all trials of each speaker left out, on whichever side they are.

    Returns:
        EER `[S]` and minDCF `[S]`, in the order of `trials.speakers`.

    Raises:
        MetricError: without some speaker a side is empty, or the scores are unusable.
    """
    order = score_order(trials.scores, trials.is_target)
    sides = _sides(trials, order)
    _check_remainders(sides, trials.speakers)

    def side_weights(rows: slice) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        left = np.arange(rows.start, rows.stop)[:, np.newaxis]
        return sides.target != left, (sides.enrol != left) & (sides.test != left)

    return eer_min_dcf_in_blocks(order, side_weights, point, rows=sides.speakers)


@dataclass(frozen=True, eq=False)
class _Sides:
    """Speakers as positions in `Trials.speakers`, in the order of the sorted scores.

    Attributes:
        target: `[T]`, the speaker of each target trial.
        enrol: `[M]`, the enrolled speaker of each nontarget trial.
        test: `[M]`, the test speaker of each nontarget trial.
        speakers: S.
    """

    target: Indices
    enrol: Indices
    test: Indices
    speakers: int

    def pair_counts(self) -> csr_array[np.float64]:
        """`[S, S]`, how many nontarget trials each pair of speakers has."""
        shape = (self.speakers, self.speakers)
        return csr_array((np.ones(len(self.enrol)), (self.enrol, self.test)), shape=shape)

    def target_counts(self) -> Indices:
        """`[S]`, how many target trials each speaker has."""
        return np.bincount(self.target, minlength=self.speakers)


def _sides(trials: Trials, order: ScoreOrder) -> _Sides:
    speakers = trials.speakers
    enrol = np.searchsorted(speakers, trials.enrol_speaker)
    test = np.searchsorted(speakers, trials.test_speaker)
    return _Sides(
        enrol[order.targets], enrol[order.nontargets], test[order.nontargets], len(speakers)
    )


def _usable_draws(
    sides: _Sides, resamples: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], int]:
    """Draws until every row has weight on both sides, which some draw of S speakers always has."""
    targets, pairs = sides.target_counts(), sides.pair_counts()
    draws = draw_units(rng, sides.speakers, resamples)
    redrawn = 0
    while (bad := _degenerate(draws, targets, pairs)).size:
        redrawn += len(bad)
        draws[bad] = draw_units(rng, sides.speakers, len(bad))
    return draws, redrawn


def _degenerate(
    draws: NDArray[np.int64], targets: Indices, pairs: csr_array[np.float64]
) -> Indices:
    nontarget_weight = ((draws @ pairs) * draws).sum(axis=1)
    return np.flatnonzero((draws @ targets == 0) | (nontarget_weight == 0))


def _check_remainders(sides: _Sides, names: NDArray[np.integer[Any]]) -> None:
    targets = len(sides.target) - sides.target_counts()
    involved = np.bincount(sides.enrol, minlength=sides.speakers)
    involved += np.bincount(sides.test, minlength=sides.speakers)
    for rest, side in ((targets, "target"), (len(sides.enrol) - involved, "nontarget")):
        needed = np.flatnonzero(rest == 0)
        if needed.size:
            raise MetricError(
                f"without speaker {names[needed[0]]} no {side} trial is left ({needed.size} such "
                f"of {len(names)} speakers); leaving one out needs {side} trials of more speakers"
            )
