"""A training at a glance: two losses, two accuracies, and the epoch that was best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.board.writing.chart_drawing import COLOURS
from harness.report.drawing import QUIET, drawing, scale_values, svg
from harness.report.finding import percent
from harness.report.run import Run
from harness.report.section import Block, Facts, Paragraph, ReportPicture, Section
from harness.report.text import Words
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
        blocks.append(Facts(_facts(series, best, words)))
    return Section("overview", words("overview.title"), tuple(blocks)) if blocks else None


def _facts(series: Series, best: int, words: Words) -> tuple[tuple[str, str], ...]:
    rows = series[ACCURACY]
    places = {"first": 0, "best": best, "last": len(rows) - 1}
    found = []
    for name, place in places.items():
        step, epoch = int(rows["step"].iloc[place]), float(rows["epoch"].iloc[place])
        values = {
            f"{group}_{line}": _at(series, f"{whole}/{line}", step)
            for group, whole in (("training", SAMPLE), ("validation", VALIDATION))
            for line, _ in LINES
        }
        shown = {key: _shown(key, value) for key, value in values.items()}
        title = words(f"overview.{name}", epoch=f"{epoch:,.3g}")
        found.append((title, words("overview.values", **shown)))
    return tuple(found)


def _shown(name: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    return percent(value) if name.endswith("accuracy") else f"{value:.4f}"


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
        axes.set_xlabel("epoch (dashed: best accuracy of validation)", fontsize=8)
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
