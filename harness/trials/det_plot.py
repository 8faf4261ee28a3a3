"""The DET plot: systems overlaid on probit axes, with the points where they are used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from harness.errors import RequestError
from harness.metrics.det import det
from harness.records.files import atomic_file
from harness.trials.system_report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS = (0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
"""Error rates that an axis may name."""

FORMATS = (".png", ".svg", ".pdf")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TOP = 0.5
MARGIN = 0.15
"""Of the axes around the curves, in standard deviations."""


def draw_det(path: Path, reports: Sequence[Report]) -> None:
    """Draws the DET curves of some systems.

    A circle marks each system's equal error rate, and the other markers its minimum cost at each
    operating point.

    Args:
        path: where to, ending in .png, .svg or .pdf.
        reports: the systems, in the order of the legend.

    Raises:
        RequestError: another kind of file, or its path cannot be written.
        StorageError: the disk is full.
    """
    check_plot(path)
    figure = det_figure(reports)
    with atomic_file(path) as file:
        figure.savefig(file, format=path.suffix[1:].lower())


def check_plot(path: Path) -> None:
    """Raises RequestError unless a file is of a kind that can be drawn."""
    if path.suffix.lower() not in FORMATS:
        raise RequestError(f"{path}: a plot ends in one of {', '.join(FORMATS)}")


def det_figure(reports: Sequence[Report]) -> Figure:
    """Draws the figure that `draw_det` writes."""
    # Without a display, and without the state of pyplot.
    import seaborn
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with seaborn.axes_style("whitegrid"):
        figure = Figure(figsize=(6.4, 7.2), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
    for report, colour in zip(
        reports, seaborn.color_palette("colorblind", len(reports)), strict=True
    ):
        _draw_system(axes, report, colour)
    _label(axes, _top(reports))
    _mark_meaning(axes, reports[0])
    figure.legend(loc="outside lower center", ncols=2, fontsize="small", frameon=False)
    return figure


def _legible(name: str) -> str:
    """A name as a legend has to be given it.

    It leaves out what begins with an underscore, and sets as a formula what is between two dollars.
    """
    text = name.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def _draw_system(axes: Axes, report: Report, colour: tuple[float, float, float]) -> None:
    lines = det(report.curve)
    label = f"{_legible(report.name)} (EER {100 * report.eer.value:.2f} %)"
    axes.plot(lines.false_alarm, lines.miss, color=colour, label=label)
    thresholds = [report.threshold, *(cost.threshold for cost in report.costs)]
    marked = np.searchsorted(report.curve.thresholds, thresholds)
    rate = ndtri(report.eer.value) if 0 < report.eer.value < 1 else None
    if rate is not None:
        axes.plot(rate, rate, MARKERS[0], color=colour)
    for marker, place in zip(_cost_markers(report), marked[1:], strict=True):
        axes.plot(lines.false_alarm[place], lines.miss[place], marker, color=colour)


def _cost_markers(report: Report) -> list[str]:
    return [MARKERS[1 + place % (len(MARKERS) - 1)] for place in range(len(report.costs))]


def _mark_meaning(axes: Axes, report: Report) -> None:
    """Entries of the legend that tell what the markers are, in no system's colour."""
    axes.plot([], [], MARKERS[0], color="grey", label="equal error rate")
    for marker, cost in zip(_cost_markers(report), report.costs, strict=True):
        point = cost.point
        label = f"minDCF at p = {point.p_target:g}"
        if (point.c_miss, point.c_fa) != (1, 1):
            label += f", costs {point.c_miss:g} and {point.c_fa:g}"
        axes.plot([], [], marker, color="grey", label=label)


def _label(axes: Axes, top: float) -> None:
    ticks = ndtri(TICKS)
    names = [f"{100 * rate:g}" for rate in TICKS]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    bottom = _lowest(axes, top) - MARGIN
    axes.set_xlim(bottom, top)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    axes.axline((0, 0), slope=1, color="grey", linewidth=0.5, linestyle=":")
    axes.set_xlabel("false-alarm rate, %")
    axes.set_ylabel("miss rate, %")


def _lowest(axes: Axes, top: float) -> float:
    """The lowest rate that a curve shows below the top of the axes."""
    points = np.concatenate([np.asarray(line.get_data()) for line in axes.lines], axis=1)
    seen = points[:, (points < top).all(axis=0)]
    return float(seen.min()) if seen.size else float(ndtri(TICKS[0]))


def _top(reports: Sequence[Report]) -> float:
    """The highest rate of the axes: room for every marker, and a curve's middle at the least."""
    rates = [TOP, *(report.eer.value for report in reports)]
    for report in reports:
        marked = np.searchsorted(report.curve.thresholds, [c.threshold for c in report.costs])
        rates += [*report.curve.miss_rates[marked], *report.curve.false_alarm_rates[marked]]
    inside = [rate for rate in rates if rate <= TICKS[-1]]
    return float(ndtri(max(inside))) + MARGIN
