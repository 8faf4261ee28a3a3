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

TRAINED = "weighted_loss"

COLUMNS = ("accuracy", "raw_loss", TRAINED)

SAME = 1e-5
"""Two losses that differ by no more than this share are one: it is the rounding of a batch."""

EPOCH = "epoch (dashed: best accuracy of validation)"

DRAWN = (*(title for _, title in LINES), "training", "validation", EPOCH)

SPLITS = {"train": SAMPLE, "validation": VALIDATION}


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Draw losses and accuracies of training and validation of each run that has both."""
    blocks, titles = list[Block](), set[str]()
    for place, run in enumerate(runs):
        series = run.series
        if series is None or not all(f"{VALIDATION}/{name}" in series for name, _ in LINES):
            continue
        rows = series[ACCURACY]
        best = int(rows["value"].to_numpy().argmax())
        alt = words("overview.alt", run=run.name)
        at = float(rows["epoch"].iloc[best])
        if len(runs) > 1:
            blocks.append(Paragraph(f"{run.name}{words('page.colon').rstrip()}"))
        left_out = TRAINED if _has_one_loss(series) else ""
        lines = {name: title for name, title in LINES if name != left_out}
        titles |= set(lines.values())
        if left_out:
            blocks.append(Paragraph(words("overview.one_loss"), quiet=True))
        blocks += [
            ReportPicture(
                f"overview-{place + 1}-{name}", _draw(series, at, name, title), alt, "", 0.3
            )
            for name, title in lines.items()
        ]
        blocks.append(_table(series, best, [each for each in COLUMNS if each in lines], words))
    drawn = tuple(each for each in DRAWN if each in titles or each not in dict(LINES).values())
    if not blocks:
        return None
    lead = Paragraph(words("overview.caption"), quiet=True)
    return Section("overview", words("overview.title"), (lead, *blocks), drawn)


def _has_one_loss(series: Series) -> bool:
    """Check if the loss as trained is cross-entropy itself, at every validation."""
    pairs = [
        [series[f"{group}/{name}"]["value"].to_numpy(np.float64) for name in ("raw_loss", TRAINED)]
        for group in SPLITS.values()
        if f"{group}/{TRAINED}" in series and f"{group}/raw_loss" in series
    ]
    return all(len(raw) == len(own) and np.allclose(raw, own, rtol=SAME) for raw, own in pairs)


def _table(series: Series, best: int, lines: Sequence[str], words: Words) -> ReportTable:
    """Return accuracies and losses at the first, the best and the last validation."""
    rows = series[ACCURACY]
    columns = [(line, split) for line in lines for split in SPLITS]
    head = [words(f"overview.{line}", split=words(f"splits.{split}")) for line, split in columns]
    last = len(rows) - 1
    places = {"first": 0} | ({"best_last": last} if best == last else {"best": best, "last": last})
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
