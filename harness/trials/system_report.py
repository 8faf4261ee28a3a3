"""Metrics of one system on scored trials, with intervals if the speakers are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.cllr import cllr, min_cllr_of
from harness.metrics.detection import act_dcf, eer, min_dcf
from harness.metrics.intervals import half_trial, logit_interval
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.roc import Roc, roc, thin
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.validation import split_sides
from harness.metrics.weighted import eer_with_weights, min_dcf_with_weights
from harness.trials.trial_speakers import Resampling

LIKE_DISTANCES = 0.6
"""The EER from which on scores are taken for distances: chance alone is near a half."""

ONE_VALUE = "all scores are one value: nobody is told apart"

Floats = NDArray[np.float64]
Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class MetricEstimate:
    """A metric, its 95 % interval if there is one, and the replicates behind that.

    Attributes:
        value: on all trials.
        low, high: the interval over speakers; None if speakers are not known.
        replicates: `[R]`, on resampled speakers; empty if there is no interval.
    """

    value: float
    low: float | None
    high: float | None
    replicates: Floats


@dataclass(frozen=True, eq=False)
class PointCost:
    """The detection cost at one operating point.

    Attributes:
        point: prior and costs.
        least: at the best threshold.
        threshold: that threshold; +inf if rejecting all is best.
        actual: at the threshold that is best for log-likelihood ratios.
    """

    point: OperatingPoint
    least: MetricEstimate
    threshold: float
    actual: float


@dataclass(frozen=True, eq=False)
class SystemReport:
    """The metrics of one system.

    Attributes:
        name: of the system.
        targets, nontargets: the numbers of trials.
        eer: the equal error rate, a fraction.
        threshold: the score where it is reached.
        costs: one for each operating point.
        cllr, min_cllr: bits; the scores read as natural-log likelihood ratios, and at their best.
        curve: the ROC, thinned for drawing.
        notes: caveats on the scores.
    """

    name: str
    targets: int
    nontargets: int
    eer: MetricEstimate
    threshold: float
    costs: tuple[PointCost, ...]
    cllr: float
    min_cllr: float
    curve: Roc
    notes: tuple[str, ...] = ()


def judge(
    name: str,
    scores: Scores,
    is_target: NDArray[np.bool_],
    points: Sequence[OperatingPoint],
    resampling: Resampling | None,
) -> SystemReport:
    """Compute every metric of one system's scores.

    Args:
        name: of the system.
        scores: `[N]`, in the order of the trial list.
        is_target: `[N]`.
        points: where costs are computed.
        resampling: the draws of the list's speakers; None for no intervals.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.
    """
    targets, nontargets = split_sides(scores, is_target)
    trials = resampling.trials(scores, is_target) if resampling else None
    estimate = partial(_estimate, resampling, trials)
    rate, curve = eer(targets, nontargets), roc(targets, nontargets)
    costs = []
    for point in points:
        least = min_dcf(targets, nontargets, point)
        interval = estimate(least.value, partial(min_dcf_with_weights, point=point))
        actual = act_dcf(targets, nontargets, point, point.bayes_threshold)
        costs.append(PointCost(point, interval, least.threshold, actual))
    return SystemReport(
        name,
        len(targets),
        len(nontargets),
        estimate(rate.value, eer_with_weights),
        rate.threshold,
        tuple(costs),
        cllr(targets, nontargets),
        min_cllr_of(curve),
        thin(curve),
        tuple(_cautions(np.asarray(scores), rate.value)),
    )


def _estimate(
    resampling: Resampling | None,
    trials: ScoredTrials | None,
    value: float,
    weighted: Callable[[ScoredTrials, NDArray[np.int64]], Floats],
) -> MetricEstimate:
    """Return a metric with its interval, by the function that computes it for weighted speakers."""
    if trials is None or resampling is None:
        return MetricEstimate(value, None, None, np.empty(0))
    replicates = weighted(trials, resampling.draws)
    found = logit_interval(value, replicates, resampling.units, floor=half_trial(trials.fewest))
    return MetricEstimate(value, found.low, found.high, replicates)


def _cautions(scores: Scores, rate: float) -> list[str]:
    alike = ONE_VALUE if scores.min() == scores.max() else ""
    return [note for note in (alike, distance_note(rate)) if note]


def distance_note(rate: float) -> str:
    """Return a note on scores that put nontarget trials above target trials; empty for others.

    Negated scores have the complement of the EER.

    >>> distance_note(0.93)[:51]
    'these look like distances, as the EER is 93.00 %: h'
    >>> distance_note(0.52)
    ''
    """
    if rate < LIKE_DISTANCES:
        return ""
    return (
        f"these look like distances, as the EER is {100 * rate:.2f} %: higher scores must mean "
        f"more alike, so negate them (EER {100 * (1 - rate):.2f} %)"
    )
