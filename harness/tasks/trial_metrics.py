"""What a trial list's scores come to: error rates, costs, intervals, and decisions made before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.cllr import cllr, min_cllr
from harness.metrics.detection import act_dcf, eer, error_rates, min_dcf
from harness.metrics.intervals import half_trial, logit_interval
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.speakers import SpeakerReplicates
from harness.records.record import Metric
from harness.scoring.calibration import Calibration, fit_calibration

Sides = tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]
"""Scores of targets and of nontargets."""


ONE_VALUE = "all test scores are one value: nobody is told apart, and the EER is 50 %"

NOT_FITTED = (
    "all validation scores are one value: no calibration can be fitted to them, and what it would "
    "decide is not judged"
)


def judged_at(
    sides: Sides, drawn: SpeakerReplicates, point: OperatingPoint, decided: Mapping[str, Any]
) -> dict[str, Metric]:
    """Every metric of a whole list.

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
        metrics |= calibrated(sides, decided["calibration"], point)
    return metrics | {"min_cllr": Metric(value=min_cllr(*sides), unit="")}


def with_intervals(
    sides: Sides, drawn: SpeakerReplicates | None, point: OperatingPoint
) -> dict[str, Metric]:
    """EER and minDCF with their intervals over speakers.

    Args:
        sides: all scores.
        drawn: the same metrics on resampled speakers; None for no intervals.
        point: of minDCF.
    """
    values = {"eer": eer(*sides).value, "min_dcf": min_dcf(*sides, point).value}
    units = {"eer": "%", "min_dcf": ""}
    if drawn is None:
        return {name: Metric(value=value, unit=units[name]) for name, value in values.items()}
    floor = half_trial(min(len(side) for side in sides))
    replicates = {"eer": drawn.eer, "min_dcf": drawn.min_dcf}
    metrics = {}
    for name, value in values.items():
        interval = logit_interval(value, replicates[name], drawn.units, floor=floor)
        metrics[name] = Metric(value=value, low=interval.low, high=interval.high, unit=units[name])
    return metrics


def at_threshold(sides: Sides, threshold: float) -> dict[str, Metric]:
    """The errors at a threshold that validation chose."""
    rates = error_rates(*sides, threshold)
    return {
        "miss_at_threshold": Metric(value=rates.miss, unit="%"),
        "false_alarm_at_threshold": Metric(value=rates.false_alarm, unit="%"),
        "threshold": Metric(value=threshold, unit=""),
    }


def calibrated(
    sides: Sides, fitted: NDArray[np.float64], point: OperatingPoint
) -> dict[str, Metric]:
    """Costs of the log-likelihood ratios that validation's calibration makes of the scores.

    Args:
        sides: all scores.
        fitted: scale and offset.
        point: of actDCF.
    """
    calibration = Calibration(float(fitted[0]), float(fitted[1]))
    targets, nontargets = (calibration.apply(side) for side in sides)
    values = {
        "act_dcf": act_dcf(targets, nontargets, point, point.bayes_threshold),
        "cllr": cllr(targets, nontargets),
    }
    return {name: Metric(value=value, unit="") for name, value in values.items()}


def decided_by(
    scores: NDArray[np.floating[Any]], is_target: NDArray[np.bool_], point: OperatingPoint
) -> dict[str, NDArray[Any]]:
    """Decide on validation what test is judged by.

    Args:
        scores: `[trials]` of validation.
        is_target: `[trials]`.
        point: its effective prior is that of the calibration.

    Returns:
        `threshold`, that of the EER; `calibration`, scale and offset that make scores natural-log
        likelihood ratios, absent where all scores are one value.

    Raises:
        MetricError: no calibration can be fitted to scores that differ.
    """
    found = {"threshold": np.array(eer(scores[is_target], scores[~is_target]).threshold)}
    if is_one_value(scores):
        return found
    fitted = fit_calibration(scores, is_target, p_target=point.effective_prior)
    return found | {"calibration": np.array([fitted.scale, fitted.offset])}


def is_one_value(scores: NDArray[np.floating[Any]]) -> bool:
    """Whether scores `[trials]` tell nothing apart."""
    return bool(scores.min() == scores.max())


def told_nothing(scores: Mapping[str, Any]) -> tuple[str, ...]:
    """What a reader must know of scores that are all one value, of test or of validation."""
    test = ONE_VALUE if is_one_value(scores["scores"]) else ""
    validation = NOT_FITTED if "threshold" in scores and "calibration" not in scores else ""
    return tuple(filter(None, (test, validation)))


def redrawn(drawn: SpeakerReplicates) -> tuple[str, ...]:
    """What a reader must know of draws that could not be judged."""
    if not drawn.redrawn:
        return ()
    return (
        f"{drawn.redrawn} draws of the test speakers held no target or no nontarget trial and were "
        f"drawn again (of {len(drawn.eer)} that count)",
    )
