"""EER and minDCF with other speakers: bootstrap and leave-one-out over speakers.

A verification trial has two sides, and a speaker's trials all move together. So speakers are
resampled, not trials: drawn once, with replacement, on the union of both sides. With w_i the number
of times speaker i was drawn, a target trial of speaker i weighs w_i and a nontarget trial of
speakers i and k weighs w_i * w_k (docs/design.md, rule 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.metrics.intervals import draw_units
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials, weightless
from harness.metrics.validation import MetricError, usable_sides
from harness.metrics.weighted import eer_with_weights, min_dcf_with_weights

Floats = NDArray[np.float64]


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
    trials: ScoredTrials, point: OperatingPoint, *, resamples: int = 1000, seed: int
) -> SpeakerReplicates:
    """Compute EER and minDCF on `resamples` draws of the speakers.

    Raises:
        MetricError: an empty side, NaN or infinite scores, or no resamples.

    >>> trials = ScoredTrials(
    ...     scores=np.array([0.9, 0.8, 0.1, 0.2]),
    ...     is_target=np.array([True, True, False, False]),
    ...     enrol_speaker=np.array([0, 1, 0, 1]),
    ...     test_speaker=np.array([0, 1, 1, 0]),
    ... )
    >>> replicates = speaker_replicates(trials, OperatingPoint(), resamples=3, seed=0)
    >>> replicates.eer, replicates.units
    (array([0., 0., 0.]), 2)
    """
    draws, redrawn = speaker_draws(trials, resamples=resamples, seed=seed)
    eers, costs = eer_with_weights(trials, draws), min_dcf_with_weights(trials, draws, point)
    return SpeakerReplicates(eers, costs, len(trials.speakers), redrawn)


def speaker_draws(
    trials: ScoredTrials, *, resamples: int = 1000, seed: int
) -> tuple[NDArray[np.int64], int]:
    """Draw the speakers with replacement, again if no target or no nontarget trial is left.

    Entries scored on the same trials share the draws of one seed, so their replicates are paired.

    Returns:
        `[resamples, S]`, how often each of `trials.speakers` was drawn, and how many draws were
        drawn again.

    Raises:
        MetricError: an empty side, NaN or infinite scores, or no resamples.
    """
    groups = trials.groups
    usable_sides(groups.target_scores, groups.nontarget_scores)
    rng = np.random.default_rng(seed)
    draws = draw_units(rng, groups.speakers, resamples)
    redrawn = 0
    while (bad := np.union1d(*weightless(groups, draws))).size:
        redrawn += len(bad)
        draws[bad] = draw_units(rng, groups.speakers, len(bad))
    return draws, redrawn


def left_one_out(trials: ScoredTrials, point: OperatingPoint) -> tuple[Floats, Floats]:
    """Compute EER and minDCF with all trials of each speaker left out, on whichever side they are.

    Returns:
        EER `[S]` and minDCF `[S]`, in the order of `trials.speakers`.

    Raises:
        MetricError: without some speaker a side is empty, or the scores are unusable.
    """
    groups = trials.groups
    usable_sides(groups.target_scores, groups.nontarget_scores)
    weights = 1.0 - np.eye(groups.speakers)
    for rows, side in zip(weightless(groups, weights), ("target", "nontarget"), strict=True):
        if rows.size:
            raise MetricError(
                f"without speaker {trials.speakers[rows[0]]} no {side} trial is left ({len(rows)} "
                f"such of {groups.speakers} speakers); leaving one out needs {side} trials of more "
                "speakers"
            )
    return eer_with_weights(trials, weights), min_dcf_with_weights(trials, weights, point)
