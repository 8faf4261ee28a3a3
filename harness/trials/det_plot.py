"""The DET plot: systems overlaid on probit axes, with the points where they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from harness.errors import RequestError
from harness.metrics.roc import det
from harness.records.files import atomic_file
from harness.trials.system_report import SystemReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS = (0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
"""Error rates that an axis may name."""

FINE, FEW = tuple(rate / 100 for rate in range(5, 100, 5)), 2
"""Those that it names where a curve, near chance, leaves only so few of the others in sight."""

FORMATS = (".png", ".svg", ".pdf")
LINES = ("-", "--", "-.", ":")
"""Systems differ in these beside their colours, so that they are told apart in grey."""

EER_MARKER, COST_MARKERS = "o", ("s", "^", "D", "v", "P", "X")
LONG = 28
"""Letters of a name beside which a legend has no room for another."""

TOP = 0.5
MARGIN = 0.15
"""Free space around the curves, in standard deviations."""


@dataclass(frozen=True, eq=False)
class Band:
    """A band around a curve.

    Attributes:
        false_alarms: where it is known, fractions within 0 and 1, `[K]`.
        low, high: its ends, miss rates within 0 and 1, each `[K]`.
    """

    false_alarms: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def draw_det(path: Path, reports: Sequence[SystemReport]) -> None:
    """Draw the DET curves of some systems.

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
    """Raise RequestError unless a file is of a kind that can be drawn."""
    if path.suffix.lower() not in FORMATS:
        raise RequestError(f"{path}: a plot ends in one of {', '.join(FORMATS)}")


def det_figure(reports: Sequence[SystemReport], bands: Sequence[Band | None] = ()) -> Figure:
    """Draw the figure that `draw_det` writes.

    Args:
        reports: the systems, in the order of the legend.
        bands: around their curves, None for none; empty if no curve has one.
    """
    # Without a display, and without the state of pyplot.
    import seaborn
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with seaborn.axes_style("whitegrid"):
        figure = Figure(figsize=(6.4, 7.2), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
    colours = seaborn.color_palette("colorblind", len(reports))
    for report, colour, line in zip(reports, colours, cycle(LINES), strict=False):
        _draw_system(axes, report, colour, line)
    _scale_axes(axes, _top(reports))
    for band, colour in zip(bands, colours, strict=False):
        if band is not None:
            places, low, high = map(ndtri, (band.false_alarms, band.low, band.high))
            axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
    _explain_markers(axes, reports[0])
    legend_below(figure)
    return figure


def legend_below(figure: Figure, size: float | str = "small") -> None:
    """Add the legend of a narrow figure below it: two columns, or one where names are long.

    Args:
        figure: whose first axes have the labels.
        size: of the type.
    """
    labels = figure.axes[0].get_legend_handles_labels()[1]
    columns = 1 if any(len(label) > LONG for label in labels) else 2
    figure.legend(loc="outside lower center", ncols=columns, fontsize=size, frameon=False)


def _draw_system(
    axes: Axes, report: SystemReport, colour: tuple[float, float, float], line: str
) -> None:
    lines = det(report.curve)
    # A legend leaves out what begins with an underscore, and sets as a formula what is between
    # two dollars.
    name = report.name.replace("$", r"\$")
    name = f" {name}" if name.startswith("_") else name
    label = f"{name} (EER {100 * report.eer.value:.2f} %)"
    axes.plot(lines.false_alarm, lines.miss, color=colour, linestyle=line, label=label)
    if 0 < report.eer.value < 1:
        rate = ndtri(report.eer.value)
        axes.plot(rate, rate, EER_MARKER, color=colour)
    for marker, place in zip(cycle(COST_MARKERS), _places_of_costs(report), strict=False):
        axes.plot(lines.false_alarm[place], lines.miss[place], marker, color=colour)


def _places_of_costs(report: SystemReport) -> NDArray[np.intp]:
    """Return the point of the curve where each cost is least."""
    return np.searchsorted(report.curve.thresholds, [cost.threshold for cost in report.costs])


def _explain_markers(axes: Axes, report: SystemReport) -> None:
    """Add entries of the legend that explain the markers, in no system's colour."""
    axes.plot([], [], EER_MARKER, color="grey", label="equal error rate")
    for marker, cost in zip(cycle(COST_MARKERS), report.costs, strict=False):
        point = cost.point
        label = f"minDCF at p = {point.p_target:g}"
        if (point.c_miss, point.c_fa) != (1, 1):
            label += f", costs {point.c_miss:g} and {point.c_fa:g}"
        axes.plot([], [], marker, color="grey", label=label)


def _scale_axes(axes: Axes, top: float) -> None:
    # The lowest rate that a curve shows below the top of the axes.
    points = np.concatenate([np.asarray(line.get_data()) for line in axes.lines], axis=1)
    seen = points[:, (points < top).all(axis=0)]
    bottom = float(seen.min() if seen.size else ndtri(TICKS[0])) - MARGIN
    places = ndtri(TICKS)
    in_sight = np.count_nonzero((bottom < places) & (places < top))
    rates = TICKS if in_sight > FEW else FINE
    ticks, names = ndtri(rates), [f"{100 * rate:g}" for rate in rates]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.set_xlim(bottom, top)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    axes.axline((0, 0), slope=1, color="grey", linewidth=0.5, linestyle=":")
    axes.set_xlabel("false-alarm rate, %")
    axes.set_ylabel("miss rate, %")


def _top(reports: Sequence[SystemReport]) -> float:
    """Return the top of the axes: room for every marker, and for a curve's middle at the least."""
    rates = [TOP, *(report.eer.value for report in reports)]
    for report in reports:
        places = _places_of_costs(report)
        rates += [*report.curve.miss_rates[places], *report.curve.false_alarm_rates[places]]
    return float(ndtri(max(rate for rate in rates if rate <= TICKS[-1]))) + MARGIN
