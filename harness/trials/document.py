"""What was found of score files, as one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.metrics.operating_point import OperatingPoint
from harness.records.documents import finite_or_none
from harness.trials.differences import Compared
from harness.trials.judge import Cost, Estimate, Report
from harness.trials.resampling import Resampling
from harness.trials.units import NoSpeakers

SCHEMA = 1
METHOD = "95 %, speakers resampled, logit-t"


def document(
    reports: Sequence[Report], compared: Sequence[Compared], sample: Resampling | NoSpeakers
) -> dict[str, Any]:
    """One system's report itself; of several, their reports and paired differences."""
    interval = interval_facts(sample)
    listed = [report_document(report, interval) for report in reports]
    if len(listed) == 1:
        return {"schema": SCHEMA, **listed[0]}
    return {
        "schema": SCHEMA,
        "systems": listed,
        "differences": [_compared_document(each) for each in compared],
    }


def report_document(report: Report, interval: dict[str, Any]) -> dict[str, Any]:
    """One system; rates are fractions, an infinite threshold is null."""
    return {
        "system": report.name,
        "eer": _estimate(report.eer),
        "threshold": report.threshold,
        "min_dcf": [_least(cost) for cost in report.costs],
        "act_dcf": [_actual(cost) for cost in report.costs],
        "cllr": finite_or_none(report.cllr),
        "min_cllr": report.min_cllr,
        "trials": {"target": report.targets, "nontarget": report.nontargets},
        "interval": interval,
        **({"notes": list(report.notes)} if report.notes else {}),
    }


def interval_facts(sample: Resampling | NoSpeakers) -> dict[str, Any]:
    """How intervals were made, or why there are none."""
    if isinstance(sample, NoSpeakers):
        return {"method": None, "speakers": None, "resamples": 0, "reason": sample.reason}
    facts = {
        "method": METHOD,
        "speakers": sample.units,
        "resamples": len(sample.draws),
        "redrawn": sample.redrawn,
        "seed": sample.seed,
        "speakers_from": sample.speakers.origin,
    }
    return facts | ({"note": sample.speakers.note} if sample.speakers.note else {})


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _point(point: OperatingPoint) -> dict[str, float]:
    return {"p_target": point.p_target, "c_miss": point.c_miss, "c_fa": point.c_fa}


def _least(cost: Cost) -> dict[str, float | None]:
    threshold = finite_or_none(cost.threshold)
    return {**_point(cost.point), **_estimate(cost.least), "threshold": threshold}


def _actual(cost: Cost) -> dict[str, float]:
    return {**_point(cost.point), "value": cost.actual, "threshold": cost.point.bayes_threshold}


def _compared_document(compared: Compared) -> dict[str, Any]:
    difference = compared.difference
    return {
        "first": compared.first,
        "second": compared.second,
        "metric": compared.metric,
        "value": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p,
        "p_holm": compared.p,
    }
