"""Charts drawn as pictures: panels on one axis of the metric, their marks, lines and names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Looks = Mapping[int, dict[str, Any]]

MARKERS = "osD^vPX"
COLOURS = ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#949494", "#56b4e9"]
"""Seaborn's palette for the colour-blind, without its pink and yellow, which are too pale.

Together with the markers they distinguish 56 entries.
"""

PANEL_WIDTH, PANEL_HEIGHT, NAME_HEIGHT = 2.6, 2.9, 0.21
"""Inches of a panel, and of a line of names beside the panels."""

SMALL_MARK = 3.5
"""Points of a mark in a panel that is larger than others."""

NAME = 32
"""Characters on a line of a name."""

LETTERS = 12
"""Letters on an inch of text, but for the widest."""

STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "svg.hashsalt": "trialboard",
    "text.parse_math": False,
}

CAPTION = (
    "Filled marks on the line: no other entry is at least as good in both and better in one. "
    "Bars: interval over the test sample. ↓ less is better, ↑ more is better."
)


@contextmanager
def style() -> Iterator[None]:
    """Draw with these settings, whatever the user's own are, which are restored afterwards."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def draw(data: Mapping[str, Any]) -> Figure:
    """Draw a picture: a panel for each cost on one axis of the metric, and the names of entries.

    Entries of a curve have several points, which a line joins.

    It is to be called, and saved, within `style`.

    Args:
        data: of a picture, as `plot_data` or `curve_data` returns it.
    """
    # Without a display, and without the state of pyplot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    names = {row: fill(data["names"][str(row)], NAME) for row in sorted(map(int, data["names"]))}
    lines = [line for name in names.values() for line in name.split("\n")] or [""]
    room = 0.5 + max(map(len, lines)) / LETTERS
    scale = data.get("scale", 1)
    width = scale * PANEL_WIDTH * len(data["charts"]) + room
    height = max(scale * PANEL_HEIGHT, NAME_HEIGHT * len(lines)) + 0.9
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    dashed = data.get("dashed", ())
    unmarked = {*dashed} - {*data.get("marked", ())}
    looks: Looks = {
        row: {"color": "0.4", "marker": ""}
        if row in unmarked
        else {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
        for i, row in enumerate(names)
    }
    if scale > 1:  # marks that hide no short interval
        looks = {row: {**look, "markersize": SMALL_MARK} for row, look in looks.items()}
    panels = figure.subplots(1, len(data["charts"]), sharey=True, squeeze=False)[0]
    for axes, chart in zip(panels, data["charts"], strict=True):
        _draw_chart(axes, chart, looks, dashed)
    panels[0].set_ylabel(data["metric"])
    letters = int(LETTERS * width)
    beside_names = int(LETTERS * (width - room))
    head = [fill(data[each], beside_names) for each in ("title", "environment") if data[each]]
    figure.suptitle("\n".join(head), x=0.01, ha="left", size=9)
    figure.supxlabel(
        fill(data.get("caption", CAPTION), letters), x=0.01, ha="left", size=8, color="0.4"
    )
    handles = [
        Line2D([], [], label=name, linestyle="--" if row in dashed else "none", **looks[row])
        for row, name in names.items()
    ]
    figure.legend(handles=handles, loc="outside right upper", frameon=False, handletextpad=0.2)
    return figure


def _draw_chart(
    axes: Axes, chart: Mapping[str, Any], looks: Looks, dashed: Collection[int]
) -> None:
    points = chart["points"]
    costs = [point["x"] for point in points]
    if chart.get("lines"):
        _join_points(axes, points, looks, dashed)
    else:
        _join_front(axes, chart)
    for point in points:
        look, (low, high) = looks[point["row"]], point["ends"]
        if not look["marker"]:
            continue
        if low is not None and high is not None:
            axes.vlines(point["x"], low, high, color=look["color"], lw=1.2, alpha=0.6)
        filled = look["color"] if point["front"] else "white"
        axes.plot(point["x"], point["y"], markerfacecolor=filled, linestyle="none", **look)
    _label_costs(axes, chart, costs)


def _join_front(axes: Axes, chart: Mapping[str, Any]) -> None:
    best = sorted((p["x"], p["y"]) for p in chart["points"] if p["front"])
    # From one entry of the front to the next: the best value to be had for a cost, or for better.
    axes.step(*zip(*best, strict=True), where="pre" if chart["more"] else "post", color="0.6", lw=1)


def _join_points(
    axes: Axes, points: Sequence[Mapping[str, Any]], looks: Looks, dashed: Collection[int]
) -> None:
    """Join each entry's points, from the lowest cost to the highest."""
    for row, look in looks.items():
        held = sorted((p["x"], p["y"]) for p in points if p["row"] == row)
        if held:
            dashes = "--" if row in dashed else "-"
            axes.plot(*zip(*held, strict=True), color=look["color"], linestyle=dashes, lw=1.2)


def _label_costs(axes: Axes, chart: Mapping[str, Any], costs: Sequence[float]) -> None:
    from matplotlib.ticker import (
        EngFormatter,
        FixedLocator,
        LogLocator,
        MaxNLocator,
        NullLocator,
    )

    unit = f" ({chart['unit']})" if chart["unit"] else ""
    arrow = {True: " ↑", False: " ↓", None: ""}[chart["more"]]
    axes.set_xlabel(f"{chart['title']}{unit}{arrow}")
    low, high = min(costs), max(costs)
    if chart["log"]:
        axes.set_xscale("log")
        ticks = LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,))
        axes.xaxis.set_major_locator(FixedLocator(chart["ticks"]) if "ticks" in chart else ticks)
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        middle, half = (low + high) / 2, 0.58 * (max(high - low, 0.2 * high) or 1)
        axes.set_xlim(middle - half, middle + half)  # so that small differences look small
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
