"""What the other curves of a training bear out: loss, accuracy, rate, threshold, marks, classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.health.classes import class_balance
from harness.health.cluster_findings import cluster_findings, trusted_share
from harness.health.findings import HealthFinding, PercentagePoints, Share, Sign, Value
from harness.health.interruptions import interruptions
from harness.health.milestones import broken_for_good, divergence, find_best, settled_since
from harness.health.training_end import END, FEWEST_STEPS, TrainingEnd, last_part
from harness.health.trend import Verdict
from harness.health.validation_curves import Curve, Moment, find_curve
from harness.health.validation_findings import recent_part, trend_of
from harness.series.series import Series

MEMORISED, LEARNT, HARDLY = 0.995, 0.9, 0.5
"""Training accuracy that is called 100 %, from which classes are learnt, and below which hardly."""

GAP = 0.05
"""EER, or accuracy that validation lacks, from which training and validation do not agree."""

RAN_OUT = 0.05
"""Share of its highest value at which a learning rate has run out."""

UNEVEN = 10.0
"""Largest class over smallest from which classes are called uneven."""

FEWEST_LOSSES = 12
"""Values of the loss without which nothing is said of its end."""

ENDS: dict[Verdict, str] = {
    "improving": "loss_falls",
    "flat": "loss_flat",
    "declining": "loss_rises",
    "cannot tell": "loss_open",
}


def training_findings(series: Series, validation: Curve | None) -> Iterator[HealthFinding]:
    """Yield what the curves beside the validation's bear out."""
    yield from _learning(series, validation)
    yield from _overfitting(series, validation)
    yield from loss_findings(series)
    yield from _rate(series)
    yield from _threshold(series)
    if validation is not None:
        yield from _leaps(series, validation)
    yield from _classes(series)
    yield from cluster_findings(series, validation)


def settled_loss(series: Series) -> Curve | None:
    """Return the training loss since what it is computed of stands still: before, it is another.

    A margin or a scale may change it, and the share of items that a clustering trusts.
    """
    loss = find_curve(series, "training", ("loss", "avg_loss"))
    rules = [find_curve(series, "training", (name,)) for name in ("margin", "scale")]
    for rule in (*rules, trusted_share(series)):
        if loss is None or rule is None:
            continue
        changes = np.flatnonzero(np.diff(rule.values))
        if len(changes):
            loss = loss.part(loss.steps >= rule.steps[changes[-1] + 1])
    return loss


def loss_findings(series: Series) -> Iterator[HealthFinding]:
    """Yield whether the training loss diverged, and how it ended."""
    whole = find_curve(series, "training", ("loss", "avg_loss"))
    loss = settled_loss(series)
    if whole is None or loss is None:
        return
    values: dict[str, Value] = {"name": whole.name}
    if (at := broken_for_good(whole)) is not None:
        yield HealthFinding("diverged_broken", "end", "worrying", values | {"at": at})
        return
    if whole.broken:
        times: dict[str, Value] = {"count": len(whole.broken), "at": whole.broken[0]}
        yield HealthFinding("loss_broken", "end", "worrying", values | times)
    if len(whole) < FEWEST_LOSSES:
        return
    if len(loss) < FEWEST_LOSSES:
        yield HealthFinding("loss_rules_moved", "end", "", values)
        return
    if (at := divergence(loss)) is not None:
        tenth = max(1, len(loss) // 10)
        ends = {"first": loss.values[:tenth].mean(), "last": loss.values[-tenth:].mean()}
        values |= {"at": at} | {name: float(value) for name, value in ends.items()}
        yield HealthFinding("diverged_rose", "end", "worrying", values)
        return
    end = loss.part(slice(-max(12, len(loss) // 5), None))
    text = ENDS[trend_of(end).verdict]
    values |= {"count": len(end), "at": end.moment(0)}
    yield HealthFinding(text, "end", "worrying" if text == "loss_rises" else "", values)


def training_accuracy(series: Series) -> tuple[str, float] | None:
    """Return name and end of the accuracy on training batches: the mean of its last tenth."""
    found = find_curve(series, "training", ("accuracy",))
    if found is None or not len(found):
        return None
    return found.name, float(found.values[-max(1, len(found) // 10) :].mean())


def _learning(series: Series, validation: Curve | None) -> Iterator[HealthFinding]:
    """The training accuracy at the end, beside the validation's value there."""
    yield from _same_mode(series)
    learnt = training_accuracy(series)
    if learnt is None:
        return
    yield from _still_rising(series)
    values: dict[str, Value] = {"accuracy": Share(learnt[1])}
    if learnt[1] < HARDLY:
        yield HealthFinding("hardly_learnt", "learning", "worrying", values)
    if validation is None or not len(validation) or learnt[1] < LEARNT:
        return
    last = float(validation.values[-1])
    lacks = {"eer": last, "accuracy": learnt[1] - last}.get(validation.metric)
    if lacks is None:
        return
    values |= {"value": Share(last)}
    if lacks < GAP:
        yield HealthFinding(f"carries_over_{validation.metric}", "learning", "good", values)
    else:
        text = "memorised" if learnt[1] >= MEMORISED else "learnt_gap"
        yield HealthFinding(f"{text}_{validation.metric}", "learning", "worrying", values)


def _still_rising(series: Series) -> Iterator[HealthFinding]:
    """The training accuracy at its end, by the rule of the published tables."""
    found = find_curve(series, "training", ("accuracy",))
    held = () if found is None else last_part(tuple(found.values), END, FEWEST_STEPS)
    rise = TrainingEnd(held).rise
    if rise is not None:
        values: dict[str, Value] = {"first": Share(rise[0]), "last": Share(rise[1])}
        yield HealthFinding("accuracy_rises", "learning", "", values)


def _same_mode(series: Series) -> Iterator[HealthFinding]:
    """Training items judged as validation is, beside the validation."""
    for metric in ("eer", "accuracy"):
        train = find_curve(series, "same mode", (metric,))
        held_out = find_curve(series, "validation", (metric,))
        if train is None or held_out is None or not len(train) or not len(held_out):
            continue
        gap = float(train.better[-1] - held_out.better[-1])
        values: dict[str, Value] = {
            "name": train.name,
            "train": Share(train.values[-1]),
            "value": Share(held_out.values[-1]),
            "gap": PercentagePoints(abs(gap)),
        }
        if gap >= GAP:
            yield HealthFinding("gap_large", "learning", "worrying", values)
        else:
            yield HealthFinding("gap_small", "learning", "good", values)


def _overfitting(series: Series, validation: Curve | None) -> Iterator[HealthFinding]:
    """Whether the validation gets worse while the training loss still falls."""
    recent = recent_part(validation) if validation is not None else None
    loss = settled_loss(series)
    if validation is None or recent is None or loss is None:
        return
    # Places, not steps: a log may count its validations by themselves.
    meanwhile = loss.part(slice(len(loss) // 2, None))
    if trend_of(recent).verdict != "declining" or trend_of(meanwhile).verdict != "improving":
        return
    best = find_best(validation)
    values: dict[str, Value] = {"name": validation.name, "loss": loss.name, "at": best.at}
    yield HealthFinding("overfits", "learning", "worrying", values)


def _rate(series: Series) -> Iterator[HealthFinding]:
    rate = find_curve(series, "training", ("lr",))
    if rate is None or len(rate) < 2 or rate.values.max() <= 0:
        return
    share = float(rate.values[-1] / rate.values.max())
    values: dict[str, Value] = {
        "last": float(rate.values[-1]),
        "highest": float(rate.values.max()),
        "share": Share(share),
    }
    # A schedule that ends at that very share has run out, however it is rounded.
    text = "rate_ended" if share <= RAN_OUT + 1e-9 else "rate_open"
    yield HealthFinding(text, "rate", "", values)


def _threshold(series: Series) -> Iterator[HealthFinding]:
    curve = find_curve(series, "validation", ("threshold",))
    if curve is None or len(curve) < 10:
        return
    since = settled_since(curve)
    values: dict[str, Value] = {"name": curve.name, "last": float(curve.values[-1])}
    if since is None:
        yield HealthFinding("threshold_moves", "threshold", "worrying", values)
    else:
        yield HealthFinding("threshold_settled", "threshold", "good", values | {"at": since})


def _leaps(series: Series, curve: Curve) -> Iterator[HealthFinding]:
    unknown: dict[str, list[Moment]] = {}
    for each in interruptions(curve, series.marks):
        values: dict[str, Value] = {"name": curve.name, "at": each.at}
        if not np.isfinite(each.leap):
            unknown.setdefault(each.kind, []).append(each.at)
            continue
        if not each.is_beyond_noise:
            text = "leap_none"
        else:
            is_better = (each.leap > 0) == curve.higher_is_better
            text = "leap_better" if is_better else "leap_worse"
            size = abs(each.leap)
            values |= {"size": PercentagePoints(size) if curve.is_rate else size}
        yield HealthFinding(f"{text}_{each.kind}", "interruptions", "", values)
    for kind, at in unknown.items():
        text = "leaps_unknown" if len(at) > 1 else "leap_unknown"
        ends: dict[str, Value] = {"at": at[0], "end": at[-1], "count": len(at)}
        yield HealthFinding(f"{text}_{kind}", "interruptions", "", {"name": curve.name, **ends})


def _classes(series: Series) -> Iterator[HealthFinding]:
    found = class_balance(series)
    if found is None:
        return
    values: dict[str, Value] = {
        "name": found.name,
        "classes": found.classes,
        "total": round(found.total),
        "smallest": round(found.smallest),
        "label": found.label,
        "evenness": round(found.evenness, 3),
    }
    text = "empty" if not found.smallest else "uneven" if found.ratio >= UNEVEN else "even"
    if text == "uneven":
        values["ratio"] = found.ratio
    if found.of_clusters:  # No sign: the labels that clusters stand for need not be even.
        yield HealthFinding(f"sizes_{text}", "clusters", "", values)
    else:
        sign: Sign = "good" if text == "even" else "worrying"
        yield HealthFinding(f"classes_{text}", "classes", sign, values)
