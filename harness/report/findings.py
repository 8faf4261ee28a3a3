"""What record and series of a run show, as findings: each true of the numbers it names.

A finding is the id of a sentence and the values in its braces, so that each language says it in its
own words. What is not known gives no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.board.standing.figures import plain
from harness.metrics.significance import ComparedEntry, can_rank, p_values
from harness.records.record import Record
from harness.report.run import Run

LEARNT, HARDLY = 0.9, 0.5
"""Training accuracy from which the training classes are learnt, and below which they are not."""

STILL = 0.02
"""Share by which a series has to have moved over its last tenth to be still moving."""

USELESS = 0.995
"""A normalised cost that is hardly below 1, that of a system which decides without looking."""

MISCALIBRATED = 0.2
"""Share of Cllr that calibration alone would take away, from which it is worth telling."""


@dataclass(frozen=True)
class Finding:
    """One thing that is true of a run.

    Attributes:
        about: what it is about: the end of the id `conclusions.about_...`.
        text: the end of the id of its sentence, `conclusions...`.
        values: those in the braces of the sentence.
    """

    about: str
    text: str
    values: dict[str, Any] = field(default_factory=dict)


def findings(run: Run) -> list[Finding]:
    """Return all findings of one run, the result's first."""
    return [finding for find in FINDERS for finding in find(run)]


def comparisons(runs: Sequence[Run]) -> list[Finding]:
    """Say of each pair of runs that were judged on the same test if they can be told apart."""
    judged = [
        run for run in runs if run.record and run.record.protocol.primary in run.record.left_one_out
    ]
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in judged:
        if run.record is not None:
            groups.setdefault((run.record.protocol.digest, run.record.dataset.lock), []).append(run)
    return [finding for group in groups.values() if len(group) > 1 for finding in _pairs(group)]


def _pairs(runs: Sequence[Run]) -> Iterator[Finding]:
    records = [run.record for run in runs if run.record is not None]
    primary = records[0].protocol.primary
    facts = records[0].protocol.facts[primary]
    entries = [
        ComparedEntry(
            run.name,
            record.metrics[primary].value,
            tuple(record.left_one_out[primary]),
            np.array(list(record.left_one_out[primary].values())),
        )
        for run, record in zip(runs, records, strict=True)
    ]
    if not can_rank(len(entries[0].units)):
        yield Finding("comparison", "too_few_units", {"units": len(entries[0].units)})
        return
    table = p_values(entries, scale="logit" if facts.unit == "%" else "plain")
    for one in range(len(runs)):
        for other in range(one + 1, len(runs)):
            pair = sorted(
                (one, other),
                key=lambda i: entries[i].estimate * (-1 if facts.higher_is_better else 1),
            )
            better, worse = (entries[place] for place in pair)
            p = float(table[one, other])
            yield Finding(
                "comparison",
                "apart" if p < 0.05 else "not_apart",
                {
                    "better": better.name,
                    "worse": worse.name,
                    "metric": facts.title,
                    "one": plain(better.estimate, facts),
                    "other": plain(worse.estimate, facts),
                    "unit": facts.unit,
                    "p": "< 0.001" if p < 0.001 else f"= {p:.3f}",
                },
            )


def series_values(run: Run, *names: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return steps and values of the first of some series that a run has, in order of steps."""
    if run.series is None:
        return None
    for name in names:
        rows = run.series.scalars[run.series.scalars["name"] == name]
        rows = rows.assign(at=pd.to_numeric(rows["step"], errors="coerce")).dropna(
            subset=["at", "value"]
        )
        if len(rows):
            rows = rows.sort_values("at", kind="stable")
            return rows["at"].to_numpy(np.float64), rows["value"].to_numpy(np.float64)
    return None


def _percent(value: float, decimals: int = 1) -> str:
    return f"{100 * value:.{decimals}f} %"


def _threshold(run: Run) -> Iterator[Finding]:
    """The share of errors at the threshold that validation chose."""
    record = run.record
    if (
        record is None
        or not {"miss_at_threshold", "false_alarm_at_threshold"} <= record.metrics.keys()
    ):
        return
    counts = record.dataset.counts.get("test", {})
    if "targets" not in counts:
        return
    miss, alarm = (record.metrics[f"{name}_at_threshold"].value for name in ("miss", "false_alarm"))
    targets, others = counts["targets"], counts["trials"] - counts["targets"]
    values = {
        "miss": _percent(miss),
        "missed": f"{round(miss * targets):,}",
        "targets": f"{targets:,}",
        "alarm": _percent(alarm),
        "accepted": f"{round(alarm * others):,}",
        "nontargets": f"{others:,}",
    }
    yield Finding("threshold", "threshold", values)
    if min(miss, alarm) > 0 and max(miss, alarm) > 2 * min(miss, alarm):
        yield Finding("threshold", "threshold_moved")


def _learning(run: Run) -> Iterator[Finding]:
    """What was learnt of the training data, against what that is worth on others."""
    record = run.record
    metric = record.metrics.get("training_accuracy") if record else None
    if record is not None and metric is not None:
        state = (
            "hardly" if metric.value < HARDLY else "partly" if metric.value < LEARNT else "learnt"
        )
        yield Finding("learning", state, {"accuracy": _percent(metric.value)})
        speakers = record.dataset.counts.get("train", {}).get("units")
        if "eer" in record.metrics and speakers and metric.value < HARDLY:
            shown = {"classes": f"{speakers:,}", "chance": _percent(1 / speakers)}
            yield Finding("learning", "chance", shown)
        yield from _gap(record, metric.value)
        return
    accuracy = series_values(run, "Train/Accuracy", "Train/accuracy", "Train/acc")
    rate = series_values(run, "Test/eer", "Test/EER", "Valid/eer")
    if accuracy is None or rate is None:
        return
    learnt, error = _last_share(accuracy[1]), _last_share(rate[1])
    if learnt >= LEARNT and error >= 0.05:
        yield Finding("learning", "log_gap", {"accuracy": _percent(learnt), "eer": _percent(error)})


def _last_share(values: NDArray[np.float64]) -> float:
    """Return the last of some rates as a fraction; a log whose rates exceed 1 holds percents."""
    return float(values[-1]) / (100 if values.max() > 1 else 1)


def _gap(record: Record, accuracy: float) -> Iterator[Finding]:
    """Set training accuracy beside the test, where the task's metric allows it."""
    primary = record.protocol.primary
    value = record.metrics[primary].value if primary in record.metrics else None
    if value is None or accuracy < LEARNT:
        return
    facts = record.protocol.facts[primary]
    shown = {"accuracy": _percent(accuracy), "metric": facts.title, "value": _percent(value)}
    if primary == "eer" and value >= 0.05:
        yield Finding("learning", "gap_eer", shown)
    if primary == "accuracy" and accuracy - value >= 0.05:
        yield Finding(
            "learning", "gap_accuracy", {**shown, "points": f"{100 * (accuracy - value):.1f}"}
        )


def _against_validation(run: Run) -> Iterator[Finding]:
    """The test's interval against the validation that chose the weights."""
    record, training = run.record, run.results.get("train", {})
    if record is None or record.protocol.primary not in record.metrics:
        return
    primary = record.protocol.primary
    facts, metric = record.protocol.facts[primary], record.metrics[primary]
    value = (training.get("validation") or {}).get(primary)
    if value is None or metric.low is None or metric.high is None:
        return
    shown = {
        "metric": facts.title,
        "unit": facts.unit,
        "validation": plain(value, facts),
        "test": plain(metric.value, facts),
        "low": plain(metric.low, facts),
        "high": plain(metric.high, facts),
    }
    inside = metric.low <= value <= metric.high
    flattered = (value > metric.high) == facts.higher_is_better
    text = (
        "validation_inside" if inside else "validation_better" if flattered else "validation_worse"
    )
    yield Finding("validation", text, shown)


def _choice(run: Run) -> Iterator[Finding]:
    """Where the best validation lies: at the end, or before it."""
    names = [(name, False) for name in ("Valid/eer", "Test/eer", "Test/EER")]
    names += [(name, True) for name in ("Valid/accuracy", "Test/accuracy")]
    held = ((series_values(run, name), name, higher) for name, higher in names)
    values, name, higher = next((each for each in held if each[0] is not None), (None, "", False))
    if values is None:
        return
    steps, figures = values
    best = int(figures.argmax() if higher else figures.argmin())
    shown = {
        "name": name,
        "best": f"{figures[best]:.4g}",
        "step": f"{steps[best]:,.0f}",
        "last": f"{figures[-1]:.4g}",
        "end": f"{steps[-1]:,.0f}",
        "count": len(figures),
    }
    text = (
        "once" if len(figures) == 1 else "best_last" if best == len(figures) - 1 else "best_before"
    )
    yield Finding("choice", text, shown)


def _end(run: Run) -> Iterator[Finding]:
    """Whether the loss still moved at the end, as far as margin and scale stood still then."""
    loss = series_values(run, "Train/Loss", "Train/loss")
    if loss is None or len(loss[0]) < 20:
        return
    steps, values = loss
    tenth = max(2, len(values) // 10)
    before, after = float(values[-2 * tenth : -tenth].mean()), float(values[-tenth:].mean())
    shown = {
        "before": f"{before:.4g}",
        "after": f"{after:.4g}",
        "from_step": f"{steps[-tenth]:,.0f}",
    }
    if _moves(run, steps[-2 * tenth], "Train/margin") or _moves(
        run, steps[-2 * tenth], "Train/scale"
    ):
        yield Finding("end", "loss_rules_moved", shown)
        return
    change = (after - before) / abs(before) if before else 0.0
    noise = float(values[-2 * tenth :].std(ddof=1)) * (2 / tenth) ** 0.5
    if abs(change) < STILL or abs(after - before) < 2 * noise:
        yield Finding("end", "loss_flat", shown)
    else:
        yield Finding("end", "loss_falling" if change < 0 else "loss_rising", shown)


def _moves(run: Run, first: float, name: str) -> bool:
    found = series_values(run, name)
    if found is None:
        return False
    late = found[1][found[0] >= first]
    return bool(len(late)) and float(np.ptp(late)) > 0


def _rate(run: Run) -> Iterator[Finding]:
    rate = series_values(run, "Train/lr", "Train/LR")
    if rate is None or len(rate[1]) < 2 or rate[1].max() <= 0:
        return
    share = float(rate[1][-1] / rate[1].max())
    shown = {
        "last": f"{rate[1][-1]:.3g}",
        "highest": f"{rate[1].max():.3g}",
        "share": f"{100 * share:.2g} %",
    }
    yield Finding("rate", "rate_ended" if share < 0.05 else "rate_open", shown)


def _cost(run: Run) -> Iterator[Finding]:
    """Normalised costs, and what calibration would mend."""
    metrics = run.record.metrics if run.record else {}
    if "min_dcf" in metrics and metrics["min_dcf"].value >= USELESS:
        yield Finding("cost", "cost_useless", {"value": f"{metrics['min_dcf'].value:.3f}"})
    if {"cllr", "min_cllr"} <= metrics.keys() and metrics["cllr"].value > 0:
        cllr, least = metrics["cllr"].value, metrics["min_cllr"].value
        share = (cllr - least) / cllr
        text = "uncalibrated" if share >= MISCALIBRATED else "calibrated"
        shown = {"cllr": f"{cllr:.3f}", "least": f"{least:.3f}", "share": f"{100 * share:.0f} %"}
        yield Finding("cost", text, shown)


def _memory(run: Run) -> Iterator[Finding]:
    costs = run.record.resources if run.record else None
    if costs is None or costs.training_memory is None or costs.batch_used is None:
        return
    shown = {"peak": f"{costs.training_memory.bytes / 2**30:.2f}", "batch": costs.batch_used}
    largest, parts = costs.largest_training_batch, costs.micro_batches or 1
    yield Finding("memory", "memory", shown)
    if parts > 1:
        yield Finding("memory", "memory_parts", {**shown, "parts": parts})
    elif largest is not None and largest >= 2 * costs.batch_used:
        yield Finding("memory", "memory_room", {**shown, "largest": f"{largest:,}"})


def _waiting(run: Run) -> Iterator[Finding]:
    costs = run.record.resources if run.record else None
    if costs is not None and costs.data_wait is not None and costs.data_wait >= 0.05:
        yield Finding("speed", "waits", {"share": _percent(costs.data_wait)})


def _evidence(run: Run) -> Iterator[Finding]:
    """How far the number carries: seeds, looks at the test, synthetic data, interruptions."""
    record = run.record
    if record is not None and record.state == "done":
        if record.seed is not None:
            yield Finding("evidence", "one_seed")
        if record.test_looks > 1:
            yield Finding("evidence", "looks", {"looks": record.test_looks})
        if record.dataset.synthetic:
            yield Finding("evidence", "synthetic")
    kinds = [mark.kind for mark in run.series.marks] if run.series is not None else []
    if count := kinds.count("resume"):
        yield Finding("evidence", "resumed", {"count": count})
    if count := kinds.count("restart"):
        yield Finding("evidence", "restarted", {"count": count})


FINDERS: tuple[Callable[[Run], Iterator[Finding]], ...] = (
    _threshold,
    _learning,
    _against_validation,
    _choice,
    _end,
    _rate,
    _cost,
    _memory,
    _waiting,
    _evidence,
)
"""What is looked at, in the order of the table."""
