"""How a picture of efficiency is drawn: a panel for each cost, one axis for the metric.

Names stand once, right of the panels, at the height of their points: the axis of the metric is the
same in all panels. So no name hides a point, however many entries there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.board.pictures.frame import EDGE, KEY, REACH, SMALL, TEXT, Frame
from harness.board.pictures.geometry import Ends, cost_ends, is_log, metric_ends, spread, stairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Looks = Mapping[str, dict[str, Any]]

MARKERS = "osD^vPX"
MARK: dict[str, Any] = {"markersize": 7.0, "markeredgewidth": 1.5, "linestyle": "none", "zorder": 4}
BAR: dict[str, Any] = {
    "marker": "_",
    "markersize": 6.0,
    "linewidth": 1.2,
    "alpha": 0.6,
    "zorder": 3,
}
SHADE, PALE, GREY, INK = "0.96", "0.88", "0.45", "0.15"

STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "svg.hashsalt": "trialboard",
    "text.parse_math": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Settings of the drawing, whatever the user's own are, which are back afterwards."""
    import matplotlib
    import seaborn

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**seaborn.axes_style("ticks"), **STYLE})
        yield


def draw(data: Mapping[str, Any]) -> Figure:
    """Draw what `plots.plot_data` gives; to be called, and saved, within `style`."""
    # Without a display, and without the state of pyplot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    frame = Frame.of(data)
    figure, looks = Figure(figsize=(frame.width, frame.height)), _looks(data)
    FigureCanvasAgg(figure)
    for number, panel in enumerate(data["panels"]):
        axes = figure.add_axes(frame.panel(number))
        _metric_axis(axes, data, named=number == 0)
        _cost_axis(axes, panel, "\n".join(frame.titles[panel["cost"]]))
        _draw_front(axes, panel, higher_is_better=data["higher_is_better"])
        _draw_points(axes, panel, looks)
    _draw_names(figure, frame, data, looks)
    _draw_texts(figure, frame)
    return figure


def _looks(data: Mapping[str, Any]) -> Looks:
    """A colour and a shape for each entry: together they tell 56 apart."""
    import seaborn

    palette = seaborn.color_palette("colorblind", 10)
    colours = [palette[i] for i in (0, 1, 2, 3, 4, 5, 7, 9)]  # its pink and yellow are too pale
    return {
        entry: {"color": colours[i % len(colours)], "marker": MARKERS[i % len(MARKERS)]}
        for i, entry in enumerate(data["entries"])
    }


def _metric_axis(axes: Axes, data: Mapping[str, Any], *, named: bool) -> None:
    """The axis that all panels share, with a pale line for each entry."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    points = [point for panel in data["panels"] for point in panel["points"]]
    values = [point[end] for point in points for end in ("value", "low", "high")]
    axes.set_ylim(metric_ends([v for v in values if v is not None], percent=data["percent"]))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(_tick))
    axes.tick_params(labelleft=named)
    for value in sorted({point["value"] for point in points}):
        axes.axhline(value, color=PALE, linewidth=0.8, zorder=0)
    if named:
        axes.set_ylabel(data["metric"])


def _cost_axis(axes: Axes, panel: Mapping[str, Any], title: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    costs = [point["cost"] for point in panel["points"]]
    axes.set_xlabel(title)
    if is_log(costs):
        axes.set_xscale("log")
        low, high = min(costs), max(costs)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlim(cost_ends(costs))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _: int | None) -> str:
    """A number in little room: 12,500 is 12.5k."""
    for least, size, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / size:.6g}{letter}"
    return f"{value:.6g}"


def _draw_front(axes: Axes, panel: Mapping[str, Any], *, higher_is_better: bool) -> None:
    front = [(point["cost"], point["value"]) for point in panel["points"] if point["front"]]
    worst = axes.get_ylim()[0 if higher_is_better else 1]
    corners = stairs(front, axes.get_xlim(), worst, more_is_better=panel["higher_is_better"])
    axes.plot(*zip(*corners, strict=True), color=GREY, linewidth=1.0, zorder=2)
    beaten = [*corners, (corners[0][0], worst)]
    axes.fill(*zip(*beaten, strict=True), color=SHADE, linewidth=0, zorder=-1)


def _draw_points(axes: Axes, panel: Mapping[str, Any], looks: Looks) -> None:
    for point in panel["points"]:
        look, cost = looks[point["entry"]], point["cost"]
        if point["low"] is not None:
            ends = (point["low"], point["high"])
            axes.plot((cost, cost), ends, color=look["color"], **BAR)
        filled = look["color"] if point["front"] else "white"
        axes.plot(cost, point["value"], **look, markerfacecolor=filled, **MARK)


def _draw_names(figure: Figure, frame: Frame, data: Mapping[str, Any], looks: Looks) -> None:
    """Each entry's mark and name right of the panels, led there from the height of its points."""
    from matplotlib.lines import Line2D

    inches = figure.dpi_scale_trans
    for entry, (begin, place) in _places(frame, data, figure.axes[-1].get_ylim()).items():
        mark = frame.right + REACH
        way = (frame.right, frame.right + 0.25 * REACH, mark - 0.35 * REACH)
        leader = Line2D(way, (begin, begin, place), color=PALE, linewidth=0.8, transform=inches)
        figure.add_artist(leader)
        figure.add_artist(Line2D((mark,), (place,), **looks[entry], **MARK, transform=inches))
        name = "\n".join(frame.names[entry])
        figure.text(mark + KEY, place, name, color=INK, va="center", transform=inches)


def _draw_texts(figure: Figure, frame: Frame) -> None:
    """What is said above and below the panels."""
    inches, title, caption = (
        figure.dpi_scale_trans,
        "\n".join(frame.title),
        "\n".join(frame.caption),
    )
    figure.text(EDGE, frame.height - EDGE, title, color=INK, va="top", transform=inches)
    figure.text(EDGE, EDGE, caption, color=GREY, size=SMALL, transform=inches)


def _places(frame: Frame, data: Mapping[str, Any], ends: Ends) -> dict[str, tuple[float, float]]:
    """Of each entry, the heights of its points and of its name, in inches of the picture."""
    values = {p["entry"]: p["value"] for panel in data["panels"] for p in panel["points"]}
    # Of equal ones, the first of the table stands highest.
    by_value = [(values[entry], -i, entry) for i, entry in enumerate(data["entries"])]
    entries = [entry for *_, entry in sorted(by_value)]
    share = frame.panel_height / (ends[1] - ends[0])
    wanted = [(values[entry] - ends[0]) * share for entry in entries]
    places = spread(wanted, [frame.name_height(entry) for entry in entries], frame.panel_height)
    found = zip(entries, wanted, places, strict=True)
    return {e: (frame.bottom + begin, frame.bottom + place) for e, begin, place in found}
