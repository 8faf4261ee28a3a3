"""A band around a ROC: its miss rates at fixed false-alarm rates, on resampled speakers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from harness.metrics.roc import roc, thin
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import speaker_draws

Floats = NDArray[np.float64]

POINTS = 400
"""Thresholds at which the rates of every draw are counted."""

AT_A_TIME = 16
"""Draws whose weights are held together."""


def miss_band(
    trials: ScoredTrials,
    false_alarms: Floats,
    *,
    resamples: int = 200,
    seed: int,
    share: float = 0.95,
) -> tuple[Floats, Floats]:
    """Compute a band of miss rates, one false-alarm rate after the other.

    Vertical averaging of ROC curves (T. Fawcett, "An introduction to ROC analysis", Pattern
    Recognition Letters 27, 2006, section 8.1), over draws of the speakers in place of folds: in
    each draw the miss rate at a false-alarm rate lies on the straight line between two points of
    its curve; the band holds the middle `share` of the draws. It is of each rate by itself, not of
    the whole curve together.

    Args:
        trials: scored trials with their speakers.
        false_alarms: `[K]`, fractions, ascending.
        resamples: draws of the speakers.
        seed: of the draws.
        share: of the draws that the band holds.

    Returns:
        The lower and the upper end, each `[K]`.

    Raises:
        MetricError: an empty side, NaN or infinite scores, or no resamples.
    """
    groups = trials.groups
    draws, _ = speaker_draws(trials, resamples=resamples, seed=seed)
    curve = thin(roc(groups.target_scores, groups.nontarget_scores), POINTS)
    targets = _counts(
        groups.target_scores, groups.target_speaker, groups.speakers, curve.thresholds
    )
    pairs = len(groups.pair_first)
    others = _counts(groups.nontarget_scores, groups.nontarget_pair, pairs, curve.thresholds)
    misses = np.empty((resamples, len(false_alarms)))
    for start in range(0, resamples, AT_A_TIME):
        drawn = draws[start : start + AT_A_TIME].astype(np.float64)
        both = drawn[:, groups.pair_first] * drawn[:, groups.pair_second]
        missed, rejected = _below(drawn, targets), _below(both, others)
        for row, (miss, rest) in enumerate(zip(missed, 1 - rejected, strict=True)):
            # `interp` wants ascending places: from rejecting all to accepting all.
            misses[start + row] = np.interp(false_alarms, rest[::-1], miss[::-1])
    low, high = np.quantile(misses, [(1 - share) / 2, (1 + share) / 2], axis=0)
    return low, high


def _counts(
    scores: NDArray[Any], owner: NDArray[np.intp], owners: int, thresholds: NDArray[Any]
) -> csr_array:
    """Count each owner's scores below each threshold that are not below the one before it."""
    place = np.searchsorted(thresholds, scores, side="right")
    shape = (owners, len(thresholds) + 1)
    return csr_array((np.ones(len(scores)), (owner, place)), shape=shape)


def _below(weights: Floats, counts: csr_array) -> Floats:
    """Return the weighted share of scores below each threshold, `[draws, thresholds]`."""
    held = np.asarray(weights @ counts).cumsum(axis=1)
    share: Floats = held[:, :-1] / held[:, -1:]
    return share
