"""What a record shows: errors at the threshold, learning, validation, costs, how far it carries."""

from __future__ import annotations

from collections.abc import Iterator

from harness.board.standing.figures import plain
from harness.health.advice import NOT_LONGER
from harness.health.validation_curves import find_curve
from harness.records.record import Record
from harness.report.finding import HARDLY, LEARNT, Finding, percent
from harness.report.phases import are_averaged
from harness.report.run import Run

USELESS = 0.995
"""A normalised cost that is hardly below 1, that of a system which decides without looking."""

MISCALIBRATED = 0.2
"""Share of Cllr that calibration alone would take away, from which it is worth telling."""

LEVEL = ("recently_flat", "no_gain")
"""What a training shows of which a longer one promises little."""


def leak(run: Run) -> Iterator[Finding]:
    """That copies of training data were tested."""
    if run.record is not None and run.record.is_leaky:
        yield Finding("leak", "leak", {"honest": run.record.dataset.leaks})


def threshold(run: Run) -> Iterator[Finding]:
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
        "miss": percent(miss),
        "missed": f"{round(miss * targets):,}",
        "targets": f"{targets:,}",
        "alarm": percent(alarm),
        "accepted": f"{round(alarm * others):,}",
        "nontargets": f"{others:,}",
    }
    yield Finding("threshold", "threshold", values)
    if min(miss, alarm) > 0 and max(miss, alarm) > 2 * min(miss, alarm):
        yield Finding("threshold", "threshold_moved")


def learning(run: Run) -> Iterator[Finding]:
    """What was learnt of the training data, against what that is worth on others."""
    record = run.record
    metric = record.metrics.get("training_accuracy") if record else None
    if record is not None and metric is not None:
        state = (
            "hardly" if metric.value < HARDLY else "partly" if metric.value < LEARNT else "learnt"
        )
        yield Finding("learning", state, {"accuracy": percent(metric.value)})
        if state == "partly" and not speaks_against_longer(run):
            yield Finding("learning", "longer_may_help")
        speakers = record.dataset.counts.get("train", {}).get("units")
        if "eer" in record.metrics and speakers and metric.value < HARDLY:
            yield _chance(record, speakers)
        if metric.value < LEARNT:
            yield from _without_augmentation(run)
        yield from _gap(record, metric.value)


def speaks_against_longer(run: Run) -> bool:
    """Check if the curves show that a longer training would not help, or that it would harm."""
    texts = {each.text for each in run.health.findings} if run.health is not None else set()
    is_level = "recently_improving" not in texts and not texts.isdisjoint(LEVEL)
    return is_level or not texts.isdisjoint(NOT_LONGER)


def _chance(record: Record, speakers: int) -> Finding:
    """Tell what guessing would give; a speaker is a class anew at each speed of the recipe."""
    augment = (record.recipe or {}).get("augment") or {}
    speeds = max(1, len(augment.get("speeds") or ()))
    classes = speakers * speeds
    shown = {"classes": f"{classes:,}", "chance": percent(1 / classes)}
    if speeds == 1:
        return Finding("learning", "chance", shown)
    shown |= {"speakers": f"{speakers:,}", "speeds": str(speeds)}
    return Finding("learning", "chance_of_speeds", shown)


def _without_augmentation(run: Run) -> Iterator[Finding]:
    """Tell how many of a sample of the training items are right as they are, not as augmented."""
    series = run.series
    alike = find_curve(series, "same mode", ("accuracy",)) if series is not None else None
    if alike is not None and len(alike):
        yield Finding("learning", "same_mode", {"accuracy": percent(float(alike.values[-1]))})


def _gap(record: Record, accuracy: float) -> Iterator[Finding]:
    """Set training accuracy beside the test, where the task's metric allows it."""
    primary = record.protocol.primary
    value = record.metrics[primary].value if primary in record.metrics else None
    if value is None or accuracy < LEARNT:
        return
    facts = record.protocol.facts[primary]
    shown = {
        "accuracy": percent(accuracy),
        "metric": facts.title,
        "metric_name": primary,
        "value": percent(value),
    }
    if primary == "eer" and value >= 0.05:
        yield Finding("learning", "gap_eer", shown)
    if primary == "accuracy" and accuracy - value >= 0.05:
        yield Finding(
            "learning", "gap_accuracy", {**shown, "points": f"{100 * (accuracy - value):.1f}"}
        )


def validation(run: Run) -> Iterator[Finding]:
    """The test's interval against the validation that chose the weights."""
    record, training = run.record, run.results.get("train", {})
    if record is None or record.protocol.primary not in record.metrics or are_averaged(record):
        return
    primary = record.protocol.primary
    facts, metric = record.protocol.facts[primary], record.metrics[primary]
    value = (training.get("validation") or {}).get(primary)
    if value is None or metric.low is None or metric.high is None:
        return
    shown = {
        "metric": facts.title,
        "metric_name": primary,
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


def cost(run: Run) -> Iterator[Finding]:
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


def memory(run: Run) -> Iterator[Finding]:
    """Measured memory of training, and what the budget would still hold."""
    costs = run.record.resources if run.record else None
    if costs is None or costs.training_memory is None or costs.batch_used is None:
        return
    shown = {"peak": f"{costs.training_memory.bytes / 2**30:.2f}", "batch": costs.batch_used}
    largest, parts = costs.largest_training_batch, costs.micro_batches or 1
    whole = "_process" * (costs.training_memory.counted == "process")
    yield Finding("memory", f"memory{whole}", shown)
    if parts > 1:
        full = "_full" * bool(run.record and run.record.joins_batch_norm)
        yield Finding("memory", f"memory_parts{full}", {**shown, "parts": parts})
    elif largest is not None and largest >= 2 * costs.batch_used:
        yield Finding("memory", "memory_room", {**shown, "largest": f"{largest:,}"})


def waiting(run: Run) -> Iterator[Finding]:
    """The share of training that passed in waiting for inputs."""
    costs = run.record.resources if run.record else None
    if costs is not None and costs.data_wait is not None and costs.data_wait >= 0.05:
        yield Finding("speed", "waits", {"share": percent(costs.data_wait)})


def evidence(run: Run) -> Iterator[Finding]:
    """How far the number carries: seeds, looks at the test, synthetic data."""
    record = run.record
    if record is not None and record.state == "done":
        if record.seed is not None:
            yield Finding("evidence", "one_seed")
        if record.test_looks > 1:
            yield Finding("evidence", "looks", {"looks": record.test_looks})
        if record.dataset.synthetic:
            yield Finding("evidence", "synthetic")
