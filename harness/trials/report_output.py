"""Reports on systems as one JSON document and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.records.documents import finite_or_none
from harness.trials.system_report import MetricEstimate, PointCost, SystemReport
from harness.trials.systems import SystemDifference
from harness.trials.trial_speakers import NoSpeakers, Resampling

SCHEMA = 1
METHOD = "95 %, speakers resampled, logit-t"


def report_document(
    reports: Sequence[SystemReport],
    differences: Sequence[SystemDifference],
    sample: Resampling | NoSpeakers,
) -> dict[str, Any]:
    """Return one system's report itself; of several, their reports and paired differences.

    Rates are fractions, an infinite threshold is null.
    """
    interval = _interval_facts(sample)
    systems = [_system_document(report, interval) for report in reports]
    if len(systems) == 1:
        return {"schema": SCHEMA, **systems[0]}
    rows = [
        {
            "first": each.first,
            "second": each.second,
            "metric": each.metric,
            **{name: getattr(each.difference, name) for name in ("value", "low", "high", "p")},
            "p_holm": each.p,
        }
        for each in differences
    ]
    return {"schema": SCHEMA, "systems": systems, "differences": rows}


def _system_document(report: SystemReport, interval: dict[str, Any]) -> dict[str, Any]:
    def values(estimate: MetricEstimate) -> dict[str, float | None]:
        return {"value": estimate.value, "low": estimate.low, "high": estimate.high}

    points = [(cost, asdict(cost.point)) for cost in report.costs]
    return {
        "system": report.name,
        "eer": values(report.eer),
        "threshold": report.threshold,
        "min_dcf": [
            {**point, **values(cost.least), "threshold": finite_or_none(cost.threshold)}
            for cost, point in points
        ],
        "act_dcf": [
            {**point, "value": cost.actual, "threshold": cost.point.bayes_threshold}
            for cost, point in points
        ],
        "cllr": finite_or_none(report.cllr),
        "min_cllr": report.min_cllr,
        "trials": {"target": report.targets, "nontarget": report.nontargets},
        "interval": interval,
        **({"notes": list(report.notes)} if report.notes else {}),
    }


def _interval_facts(sample: Resampling | NoSpeakers) -> dict[str, Any]:
    """Return how intervals were made, or why there are none."""
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


def report_text(
    reports: Sequence[SystemReport],
    differences: Sequence[SystemDifference],
    sample: Resampling | NoSpeakers,
    *,
    is_calibrated: bool,
) -> list[RenderableType]:
    """Return a table of the systems, one of their differences, and notes on both.

    Args:
        reports: the systems.
        differences: their paired differences; none for one system or without intervals.
        sample: the draws of speakers, or why there are none.
        is_calibrated: whether scores were made log-likelihood ratios here.
    """
    notes = _notes(reports, sample, is_calibrated=is_calibrated)
    further: list[RenderableType] = ["", _difference_table(differences)] if differences else []
    return [_system_table(reports), *further, "", *notes]


def _system_table(reports: Sequence[SystemReport]) -> Table:
    titles = [_cost_title(cost) for cost in reports[0].costs]
    costs = [f"{metric} {title}" for metric in ("minDCF", "actDCF") for title in titles]
    table = _plain_table("system", "EER %", "threshold", *costs, "Cllr", "min Cllr")
    for report in reports:
        table.add_row(
            Text(report.name),  # brackets in a file's name are no markup
            _with_interval(report.eer, 100, 2),
            f"{report.threshold:.4g}",
            *(_with_interval(cost.least, 1, 3) for cost in report.costs),
            *(f"{cost.actual:.3f}" for cost in report.costs),
            f"{report.cllr:.3f}",
            f"{report.min_cllr:.3f}",
        )
    return table


def _plain_table(*titles: str) -> Table:
    return Table(*titles, box=None, pad_edge=False, padding=(0, 2))


def _cost_title(cost: PointCost) -> str:
    point = cost.point
    costs = "" if (point.c_miss, point.c_fa) == (1, 1) else f", {point.c_miss:g}:{point.c_fa:g}"
    return f"({point.p_target:g}{costs})"


def _with_interval(estimate: MetricEstimate, factor: int, decimals: int) -> str:
    text = f"{factor * estimate.value:.{decimals}f}"
    if estimate.low is None or estimate.high is None:
        return text
    low, high = factor * estimate.low, factor * estimate.high
    return f"{text} ({low:.{decimals}f}-{high:.{decimals}f})"


def _difference_table(differences: Sequence[SystemDifference]) -> Table:
    table = _plain_table("difference", "metric", "value", "95 % interval", "p (Holm)")
    for each in differences:
        is_rate, found = each.metric == "eer", each.difference
        factor, decimals = (100, 2) if is_rate else (1, 3)
        value, low, high = (
            f"{factor * number:+.{decimals}f}" for number in (found.value, found.low, found.high)
        )
        metric = "EER, points" if is_rate else each.metric.replace("min_dcf", "minDCF")
        p = "< 0.001" if each.p < 0.001 else f"{each.p:.3f}"
        table.add_row(Text(f"{each.first} - {each.second}"), metric, value, f"{low} to {high}", p)
    return table


def _notes(
    reports: Sequence[SystemReport], sample: Resampling | NoSpeakers, *, is_calibrated: bool
) -> list[str]:
    targets, nontargets = reports[0].targets, reports[0].nontargets
    notes = [f"{report.name}: {note}." for report in reports for note in report.notes]
    notes.append(f"{targets:,} target and {nontargets:,} nontarget trials.")
    if isinstance(sample, NoSpeakers):
        notes.append(f"No interval: {sample.reason}.")
    else:
        speakers = sample.speakers
        notes.append(
            f"Brackets: {METHOD}; {sample.units} speakers (from {speakers.origin}), "
            f"{len(sample.draws)} draws."
        )
        notes += [f"{speakers.note}."] if speakers.note else []
    if not is_calibrated:
        notes.append(
            "actDCF and Cllr read the scores as natural-log likelihood ratios; cosines are none: "
            "calibrate them on other trials (--calibration-trials, --calibration-scores)."
        )
    if any(math.isinf(cost.threshold) for report in reports for cost in report.costs):
        notes.append("A minDCF of 1 is that of rejecting every trial.")
    return notes
