"""What record and series of a run show, as findings: each true of the numbers it names.

What is not known gives no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.report import record_findings as of_record
from harness.report.finding import LEARNT, Finding, percent
from harness.report.run import Run

STILL = 0.02
"""Share by which a series has to have moved over its last tenth to be still moving."""


def findings(run: Run) -> list[Finding]:
    """Return all findings of one run, the result's first."""
    return [finding for find in FINDERS for finding in find(run)]


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


def _learning(run: Run) -> Iterator[Finding]:
    """The training accuracy of a log against its validation; a record's stands in the record."""
    if run.record is not None and "training_accuracy" in run.record.metrics:
        return
    accuracy = series_values(run, "Train/Accuracy", "Train/accuracy", "Train/acc")
    rate = series_values(run, "Test/eer", "Test/EER", "Valid/eer")
    if accuracy is None or rate is None:
        return
    learnt, error = _last_share(accuracy[1]), _last_share(rate[1])
    if learnt >= LEARNT and error >= 0.05:
        yield Finding("learning", "log_gap", {"accuracy": percent(learnt), "eer": percent(error)})


def _last_share(values: NDArray[np.float64]) -> float:
    """Return the last of some rates as a fraction; a log whose rates exceed 1 holds percents."""
    return float(values[-1]) / (100 if values.max() > 1 else 1)


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


def _interruptions(run: Run) -> Iterator[Finding]:
    kinds = [mark.kind for mark in run.series.marks] if run.series is not None else []
    if count := kinds.count("resume"):
        yield Finding("evidence", "resumed", {"count": count})
    if count := kinds.count("restart"):
        yield Finding("evidence", "restarted", {"count": count})


FINDERS: tuple[Callable[[Run], Iterator[Finding]], ...] = (
    of_record.threshold,
    of_record.learning,
    _learning,
    of_record.validation,
    _choice,
    _end,
    _rate,
    of_record.cost,
    of_record.memory,
    of_record.waiting,
    of_record.evidence,
    _interruptions,
)
"""What is looked at, in the order of the table."""
