"""Reports on systems as one JSON document and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.metrics.operating_point import OperatingPoint
from harness.records.canonical import finite_or_none
from harness.trials.system_report import Cost, Estimate, Report
from harness.trials.systems import Compared
from harness.trials.trial_speakers import NoSpeakers, Resampling

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


def shown(
    reports: Sequence[Report],
    compared: Sequence[Compared],
    sample: Resampling | NoSpeakers,
    *,
    is_calibrated: bool,
) -> list[RenderableType]:
    """A table of the systems, one of their differences, and what must be known of both.

    Args:
        reports: the systems.
        compared: their paired differences; none for one system or without intervals.
        sample: the draws of speakers, or why there are none.
        is_calibrated: whether scores were made log-likelihood ratios here.
    """
    notes = _notes(reports, sample, is_calibrated=is_calibrated)
    differences: list[RenderableType] = ["", _differences_table(compared)] if compared else []
    return [_table(reports), *differences, "", *notes]


def _table(reports: Sequence[Report]) -> Table:
    costs = [_cost_title(cost) for cost in reports[0].costs]
    table = Table(
        "system", "EER %", "threshold", *(f"minDCF {title}" for title in costs),
        *(f"actDCF {title}" for title in costs), "Cllr", "min Cllr",
        box=None, pad_edge=False, padding=(0, 2),
    )  # fmt: skip
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


def _cost_title(cost: Cost) -> str:
    point = cost.point
    costs = "" if (point.c_miss, point.c_fa) == (1, 1) else f", {point.c_miss:g}:{point.c_fa:g}"
    return f"({point.p_target:g}{costs})"


def _with_interval(estimate: Estimate, factor: int, decimals: int) -> str:
    text = f"{factor * estimate.value:.{decimals}f}"
    if estimate.low is None or estimate.high is None:
        return text
    low, high = factor * estimate.low, factor * estimate.high
    return f"{text} ({low:.{decimals}f}-{high:.{decimals}f})"


def _differences_table(compared: Sequence[Compared]) -> Table:
    table = Table(
        "difference", "metric", "value", "95 % interval", "p (Holm)",
        box=None, pad_edge=False, padding=(0, 2),
    )  # fmt: skip
    for each in compared:
        factor, decimals = (100, 2) if each.metric == "eer" else (1, 3)
        found = [factor * value for value in _ends(each)]
        value, low, high = (f"{number:+.{decimals}f}" for number in found)
        metric = "EER, points" if each.metric == "eer" else each.metric.replace("min_dcf", "minDCF")
        p = "< 0.001" if each.p < 0.001 else f"{each.p:.3f}"
        systems = Text(f"{each.first} - {each.second}")
        table.add_row(systems, metric, value, f"{low} to {high}", p)
    return table


def _ends(compared: Compared) -> tuple[float, float, float]:
    difference = compared.difference
    return difference.value, difference.low, difference.high


def _notes(
    reports: Sequence[Report], sample: Resampling | NoSpeakers, *, is_calibrated: bool
) -> list[str]:
    targets, nontargets = reports[0].targets, reports[0].nontargets
    notes = [f"{report.name}: {note}." for report in reports for note in report.notes]
    notes.append(f"{targets:,} target and {nontargets:,} nontarget trials.")
    if isinstance(sample, NoSpeakers):
        notes.append(f"No interval: {sample.reason}.")
    else:
        facts = interval_facts(sample)
        notes.append(
            f"Brackets: {facts['method']}; {facts['speakers']} speakers (from "
            f"{facts['speakers_from']}), {facts['resamples']} draws."
        )
        notes += [f"{facts['note']}."] if "note" in facts else []
    if not is_calibrated:
        notes.append(
            "actDCF and Cllr read the scores as natural-log likelihood ratios; cosines are none: "
            "calibrate them on other trials (--calibration-trials, --calibration-scores)."
        )
    if any(math.isinf(cost.threshold) for report in reports for cost in report.costs):
        notes.append("A minDCF of 1 is that of rejecting every trial.")
    return notes
