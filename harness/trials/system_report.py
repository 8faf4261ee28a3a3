"""Metrics of one system on scored trials, with intervals where the speakers are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.cllr import cllr, min_cllr_of
from harness.metrics.dcf import act_dcf, min_dcf
from harness.metrics.det import thin
from harness.metrics.eer import eer
from harness.metrics.intervals import half_trial, logit_interval
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.roc import Roc, roc
from harness.metrics.sides import part
from harness.metrics.trials import Trials
from harness.metrics.weighted import weighted_eer, weighted_min_dcf
from harness.trials.trial_speakers import Resampling

LIKE_DISTANCES = 0.6
"""The EER from which on scores are taken for distances: chance alone is near a half."""

ONE_VALUE = "all scores are one value: nobody is told apart"


def distance_note(eer: float) -> str:
    """A note on scores that put nontarget trials above target trials; empty where they do not.

    Negated scores have the complement of the EER.

    >>> distance_note(0.93)[:51]
    'these look like distances, as the EER is 93.00 %: h'
    >>> distance_note(0.52)
    ''
    """
    if eer < LIKE_DISTANCES:
        return ""
    return (
        f"these look like distances, as the EER is {100 * eer:.2f} %: higher scores must mean more "
        f"alike, so negate them (EER {100 * (1 - eer):.2f} %)"
    )


def cautions(scores: NDArray[np.floating], eer: float) -> tuple[str, ...]:
    """All that a reader must know of a system's scores `[trials]` before their metrics."""
    alike = ONE_VALUE if scores.min() == scores.max() else ""
    return tuple(filter(None, (alike, distance_note(eer))))


Floats = NDArray[np.float64]
Scores = NDArray[np.floating[Any]]
Draws = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Estimate:
    """A metric, its 95 % interval where there is one, and the replicates behind that.

    Attributes:
        value: on all trials.
        low, high: the interval over speakers; None where speakers are not known.
        replicates: `[R]`, on resampled speakers; empty where there is no interval.
    """

    value: float
    low: float | None
    high: float | None
    replicates: Floats


@dataclass(frozen=True, eq=False)
class Cost:
    """The detection cost at one operating point.

    Attributes:
        point: prior and costs.
        least: at the best threshold.
        threshold: that threshold; +inf where rejecting all is best.
        actual: at the threshold that is best for log-likelihood ratios.
    """

    point: OperatingPoint
    least: Estimate
    threshold: float
    actual: float


@dataclass(frozen=True, eq=False)
class Report:
    """What scored trials say of one system.

    Attributes:
        name: of the system.
        targets, nontargets: how many trials there are.
        eer: the equal error rate, a fraction.
        threshold: the score where it is reached.
        costs: one for each operating point.
        cllr, min_cllr: bits; the scores read as natural-log likelihood ratios, and at their best.
        curve: the ROC, thinned for drawing.
        notes: what must be known of the scores.
    """

    name: str
    targets: int
    nontargets: int
    eer: Estimate
    threshold: float
    costs: tuple[Cost, ...]
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
) -> Report:
    """Computes every metric of one system's scores.

    Args:
        name: of the system.
        scores: `[N]`, in the order of the trial list.
        is_target: `[N]`.
        points: where costs are computed.
        resampling: the draws of the list's speakers; None for no intervals.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.
    """
    targets, nontargets = part(scores, is_target)
    trials = resampling.trials(scores, is_target) if resampling else None
    estimate = partial(_estimate, trials=trials, draws=resampling.draws if resampling else None)
    rate, curve = eer(targets, nontargets), roc(targets, nontargets)
    return Report(
        name,
        len(targets),
        len(nontargets),
        estimate(rate.value, weighted_eer),
        rate.threshold,
        tuple(_cost(targets, nontargets, point, estimate) for point in points),
        cllr(targets, nontargets),
        min_cllr_of(curve),
        thin(curve),
        cautions(np.asarray(scores), rate.value),
    )


def _cost(
    targets: Scores, nontargets: Scores, point: OperatingPoint, estimate: Callable[..., Estimate]
) -> Cost:
    least = min_dcf(targets, nontargets, point)
    weighted = partial(weighted_min_dcf, point=point)
    actual = act_dcf(targets, nontargets, point, point.bayes_threshold)
    return Cost(point, estimate(least.value, weighted), least.threshold, actual)


def _estimate(
    value: float,
    weighted: Callable[[Trials, Draws], Floats],
    *,
    trials: Trials | None,
    draws: Draws | None,
) -> Estimate:
    """A metric with its interval, by the function that computes it for weighted speakers."""
    if trials is None or draws is None:
        return Estimate(value, None, None, np.empty(0))
    replicates = weighted(trials, draws)
    found = logit_interval(value, replicates, draws.shape[1], floor=half_trial(trials.fewest))
    return Estimate(value, found.low, found.high, replicates)
