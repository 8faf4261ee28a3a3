"""A trial list's scores judged: the whole list, groups of its trials, points of the DET curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.metrics.cllr import cllr, min_cllr
from harness.metrics.detection import act_dcf, eer, error_rates, min_dcf
from harness.metrics.intervals import half_trial, logit_interval
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.roc import roc, thin
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import SpeakerReplicates, speaker_replicates
from harness.records.details_schema import Det, DetPoint, Group, GroupMetric
from harness.records.record import Metric
from harness.scoring.calibration import Calibration, fit_calibration
from harness.tasks.groupings import FEWEST
from harness.trials.index import TrialIndex

Sides = tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]
"""Scores of targets and of nontargets."""

Mask = NDArray[np.bool_]
Against = Literal["all targets", "all nontargets"] | None

ONE_VALUE = "all test scores are one value: nobody is told apart, and the EER is 50 %"

NOT_FITTED = (
    "all validation scores are one value: no calibration can be fitted to them, and what it would "
    "decide is not judged"
)

OWN_SIDE: Mapping[str, Against] = {
    "miss_at_threshold": "all targets",
    "false_alarm_at_threshold": "all nontargets",
}
"""Rates of one side alone: they are not given for a group that borrows that side."""

POINTS = 120


def list_metrics(
    sides: Sides, drawn: SpeakerReplicates, point: OperatingPoint, decided: Mapping[str, Any]
) -> dict[str, Metric]:
    """Compute every metric of a whole list.

    Args:
        sides: all scores.
        drawn: EER and minDCF on resampled speakers.
        point: of minDCF and actDCF.
        decided: what validation chose: `threshold`, `calibration`; either may be absent, and so
            are then the metrics that rest on it.
    """
    metrics = with_intervals(sides, drawn, point)
    if "threshold" in decided:
        metrics |= at_threshold(sides, float(decided["threshold"]))
    if "calibration" in decided:
        scale, offset = map(float, decided["calibration"])
        targets, nontargets = (Calibration(scale, offset).apply(side) for side in sides)
        cost = act_dcf(targets, nontargets, point, point.bayes_threshold)
        metrics["act_dcf"] = Metric(value=cost, unit="")
        metrics["cllr"] = Metric(value=cllr(targets, nontargets), unit="")
    return metrics | {"min_cllr": Metric(value=min_cllr(*sides), unit="")}


def with_intervals(
    sides: Sides, drawn: SpeakerReplicates | None, point: OperatingPoint
) -> dict[str, Metric]:
    """Compute EER and minDCF with their intervals over speakers.

    Args:
        sides: all scores.
        drawn: the same metrics on resampled speakers; None for no intervals.
        point: of minDCF.
    """
    found = {
        "eer": Metric(value=eer(*sides).value, unit="%"),
        "min_dcf": Metric(value=min_dcf(*sides, point).value, unit=""),
    }
    if drawn is None:
        return found
    floor = half_trial(min(len(side) for side in sides))
    for name, replicates in (("eer", drawn.eer), ("min_dcf", drawn.min_dcf)):
        interval = logit_interval(found[name].value, replicates, drawn.units, floor=floor)
        ends = {"low": interval.low, "high": interval.high}
        found[name] = found[name].model_copy(update=ends)
    return found


def at_threshold(sides: Sides, threshold: float) -> dict[str, Metric]:
    """Compute the errors at a threshold that validation chose."""
    rates = error_rates(*sides, threshold)
    return {
        "miss_at_threshold": Metric(value=rates.miss, unit="%"),
        "false_alarm_at_threshold": Metric(value=rates.false_alarm, unit="%"),
        "threshold": Metric(value=threshold, unit=""),
    }


def decide(
    scores: NDArray[np.floating[Any]], is_target: Mask, point: OperatingPoint
) -> dict[str, NDArray[Any]]:
    """Decide on validation what test is judged by.

    Args:
        scores: `[trials]` of validation.
        is_target: `[trials]`.
        point: its effective prior is that of the calibration.

    Returns:
        `threshold`, that of the EER; `calibration`, scale and offset that make scores natural-log
        likelihood ratios, absent if all scores are one value.

    Raises:
        MetricError: no calibration can be fitted to scores that differ.
    """
    found = {"threshold": np.array(eer(scores[is_target], scores[~is_target]).threshold)}
    if scores.min() == scores.max():
        return found
    fitted = fit_calibration(scores, is_target, p_target=point.effective_prior)
    return found | {"calibration": np.array([fitted.scale, fitted.offset])}


def list_notes(scores: Mapping[str, Any], drawn: SpeakerReplicates) -> tuple[str, ...]:
    """Return what a reader must know of scores that are all one value, and of repeated draws.

    Args:
        scores: of test, `scores`, and what validation decided.
        drawn: the resampled speakers.
    """
    notes = []
    if scores["scores"].min() == scores["scores"].max():
        notes.append(ONE_VALUE)
    if "threshold" in scores and "calibration" not in scores:
        notes.append(NOT_FITTED)
    if drawn.redrawn:
        notes.append(
            f"{drawn.redrawn} draws of the test speakers held no target or no nontarget trial and "
            f"were drawn again (of {len(drawn.eer)} that count)"
        )
    return tuple(notes)


@dataclass(frozen=True, kw_only=True)
class GroupJudge:
    """Judges groups of one list's trials.

    A group that has no targets (cross-gender nontargets) is judged with all targets of the list,
    one that has no nontargets (targets of one session) with all nontargets; `Group.against` says
    so. Its interval is over the speakers of the trials that were judged.

    Attributes:
        trials: the list.
        scored: its scores, with the speakers of both sides.
        point: of minDCF.
        threshold: chosen on validation; None if the scores came without one.
        resamples, seed: of the draws of speakers.
    """

    trials: TrialIndex
    scored: ScoredTrials
    point: OperatingPoint
    threshold: float | None
    resamples: int
    seed: int

    def __call__(self, name: str, own: Mask) -> Group:
        """Judge one group.

        Args:
            name: of the group.
            own: its trials, `[trials]`.
        """
        target = self.trials.target
        against: Against = None
        judged = own
        if not (own & target).any():
            against, judged = "all targets", own | target
        elif not (own & ~target).any():
            against, judged = "all nontargets", own | ~target
        return Group(
            name=name,
            units=len(self._part(own).speakers),
            items=self._count_items(own),
            trials=int(np.count_nonzero(own)),
            targets=int(np.count_nonzero(own & target)),
            against=against,
            metrics=self._metrics(self._part(judged), against),
        )

    def _part(self, chosen: Mask) -> ScoredTrials:
        whole = self.scored
        return ScoredTrials(
            whole.scores[chosen],
            whole.is_target[chosen],
            whole.enrol_speaker[chosen],
            whole.test_speaker[chosen],
        )

    def _count_items(self, own: Mask) -> int:
        """Count the items that the trials compare, those of models among them."""
        enrolled, models = self.trials.enrol[own], self.trials.models
        if models is not None:
            enrolled = models.item[np.isin(models.owner, enrolled)]
        return len(np.union1d(self.trials.test[own], enrolled))

    def _metrics(self, part: ScoredTrials, against: Against) -> dict[str, GroupMetric | None]:
        found: dict[str, Metric] = {}
        if part.fewest >= FEWEST:
            sides: Sides = (part.scores[part.is_target], part.scores[~part.is_target])
            drawn = None
            if len(np.unique(part.enrol_speaker[part.is_target])) >= FEWEST:
                drawn = speaker_replicates(
                    part, self.point, resamples=self.resamples, seed=self.seed
                )
            found = with_intervals(sides, drawn, self.point)
            if self.threshold is not None:
                found |= at_threshold(sides, self.threshold)
        names = ("eer", "min_dcf", *(() if self.threshold is None else OWN_SIDE))
        borrowed = {name for name, lacking in OWN_SIDE.items() if lacking == against}
        return {
            name: GroupMetric(**found[name].model_dump(exclude={"unit"}))
            if name in found and name not in borrowed
            else None
            for name in names
        }


def det_points(sides: Sides, point: OperatingPoint) -> Det:
    """Return at most POINTS points of the DET curve, exact ones all.

    Beside those that `harness.metrics.roc.thin` keeps there are the two between which the EER lies,
    so that the EER drawn from the points is that of the record, and the one of minDCF.

    Raises:
        MetricError: an empty side, or NaN or infinite scores.
    """
    curve = roc(*sides)
    misses, false_alarms = (each.astype(np.int64) for each in (curve.misses, curve.false_alarms))
    # The first point whose miss rate is at least its false-alarm rate; never the first of all.
    gaps = misses * curve.all_nontargets - false_alarms * curve.all_targets
    upper = int(np.searchsorted(gaps, 0))
    least = int(np.searchsorted(curve.thresholds, min_dcf(*sides, point).threshold))
    thinned = np.searchsorted(curve.thresholds, thin(curve, POINTS - 3).thresholds)
    kept = curve.at(np.union1d(thinned, [upper - 1, upper, least]))
    return Det(
        false_alarm=tuple(kept.false_alarm_rates.tolist()),
        miss=tuple(kept.miss_rates.tolist()),
        targets=curve.all_targets,
        nontargets=curve.all_nontargets,
        min_dcf=DetPoint(
            false_alarm=int(false_alarms[least]) / curve.all_nontargets,
            miss=int(misses[least]) / curve.all_targets,
        ),
    )
