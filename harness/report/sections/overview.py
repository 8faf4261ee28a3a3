"""A training at a glance: two losses, two accuracies, and the epoch that was best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.board.standing.figures import UNKNOWN
from harness.board.writing.chart_drawing import COLOURS
from harness.report.drawing import QUIET, drawing, scale_values, svg
from harness.report.finding import percent
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import Words, short_number
from harness.series.scalar_names import SAMPLE, VALIDATION
from harness.series.series import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACCURACY = f"{VALIDATION}/accuracy"

LINES = (
    ("raw_loss", "cross-entropy"),
    ("weighted_loss", "loss as trained"),
    ("accuracy", "accuracy"),
)
"""Numbers that are drawn of both splits, each in a panel of its own."""

COLUMNS = ("accuracy", "raw_loss", "weighted_loss")

EPOCH = "epoch (dashed: best accuracy of validation)"

DRAWN = (*(title for _, title in LINES), "training", "validation", EPOCH)

SPLITS = {"train": SAMPLE, "validation": VALIDATION}


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Draw losses and accuracies of training and validation of each run that has both."""
    blocks: list[Block] = []
    for place, run in enumerate(runs):
        series = run.series
        if series is None or not all(f"{VALIDATION}/{name}" in series for name, _ in LINES):
            continue
        rows = series[ACCURACY]
        best = int(rows["value"].to_numpy().argmax())
        told = f"{run.name}{words('page.colon')}" if len(runs) > 1 else ""
        alt = words("overview.alt", run=run.name)
        at = float(rows["epoch"].iloc[best])
        blocks.append(Paragraph(f"{told}{words('overview.caption')}"))
        blocks += [
            ReportPicture(
                f"overview-{place + 1}-{name}", _draw(series, at, name, title), alt, "", 0.3
            )
            for name, title in LINES
        ]
        blocks.append(_table(series, best, words))
    title = words("overview.title")
    return Section("overview", title, tuple(blocks), DRAWN) if blocks else None


def _table(series: Series, best: int, words: Words) -> ReportTable:
    """Return accuracies and losses at the first, the best and the last validation."""
    rows = series[ACCURACY]
    columns = [(line, split) for line in COLUMNS for split in SPLITS]
    head = [words(f"overview.{line}", split=words(f"splits.{split}")) for line, split in columns]
    places = {"first": 0, "best": best, "last": len(rows) - 1}
    found = []
    for name, place in places.items():
        step, epoch = int(rows["step"].iloc[place]), float(rows["epoch"].iloc[place])
        cells = [_shown(line, _at(series, f"{SPLITS[at]}/{line}", step)) for line, at in columns]
        found.append((words(f"overview.{name}", epoch=f"{epoch:,.3g}"), *cells))
    numeric = frozenset(range(1, 1 + len(head)))
    return ReportTable((words("overview.when"), *head), tuple(found), "", numeric)


def _shown(name: str, value: float) -> str:
    if math.isnan(value):
        return UNKNOWN
    return percent(value) if name == "accuracy" else short_number(value)


def _at(series: Series, name: str, step: int) -> float:
    """Return a series' value at a step; NaN if it has none."""
    if name not in series:
        return math.nan
    rows = series[name]
    held = rows.loc[rows["step"] == step, "value"]
    return float(held.iloc[-1]) if len(held) else math.nan


def _draw(series: Series, best: float, name: str, title: str) -> bytes:
    with drawing(4.2, 2.9) as figure:
        axes = figure.add_subplot()
        _draw_lines(axes, series, name)
        axes.axvline(best, color=QUIET, linestyle="--", linewidth=0.9)
        axes.set_title(title, loc="left", fontsize=9, fontweight="bold")
        axes.set_xlabel(EPOCH, fontsize=8)
        axes.legend(fontsize=7, frameon=False)
        return svg(figure)


def _draw_lines(axes: Axes, series: Series, name: str) -> None:
    low, high = np.inf, 0.0
    for place, (group, title) in enumerate(((SAMPLE, "training"), (VALIDATION, "validation"))):
        if (whole := f"{group}/{name}") in series:
            rows = series[whole]
            values: NDArray[np.float64] = rows["value"].to_numpy(np.float64)
            axes.plot(rows["epoch"], values, color=COLOURS[place], linewidth=1.4, label=title)
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if name != "accuracy":
        scale_values(axes, low, high)
