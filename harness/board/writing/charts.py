"""Charts of efficiency: their data, and the pictures of them, and of curves, that Markdown shows.

The pages of the site draw the same data. A picture carries its data. A build draws it again where
its data are others; `check` draws it in any case and compares all that stands in its file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath
from textwrap import fill
from typing import TYPE_CHECKING, Any

from harness.board.record_paths import slug
from harness.board.standing.figures import heading, one_line, six_digits
from harness.board.standing.table import Table
from harness.board.writing.captions import title
from harness.board.writing.drawn_svg import DESCRIPTION, TITLE, is_alike, read_drawing
from harness.board.writing.efficiency import Efficiency, Point, TradeOff, efficiencies
from harness.records.documents import canonical_json, digest
from harness.records.files import read_bytes, write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Looks = Mapping[int, dict[str, Any]]

FOLDER = "plots"
DRAWING = 4
"""Version of the drawing: a new one draws every picture again."""

SHOWN = 28
"""Entries of a picture at most: half of what colours and shapes distinguish."""

LOG_ABOVE = 10
"""Costs are on a logarithmic axis if the highest is more than so many times the lowest."""

MARKERS = "osD^vPX"
COLOURS = ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#949494", "#56b4e9"]
"""Seaborn's palette for the colour-blind, without its pink and yellow, which are too pale.

Together with the markers they distinguish 56 entries.
"""

PANEL_WIDTH, PANEL_HEIGHT, NAME_HEIGHT = 2.6, 2.9, 0.21
"""Inches of a panel, and of a line of names beside the panels."""

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


def chart_data(
    table: Table, efficiency: Efficiency, keep: Callable[[int, Point], bool]
) -> dict[str, Any]:
    """Return the charts of one environment as plain JSON types, in the units that people read.

    Args:
        table: the table.
        efficiency: the trade-offs of the environment, of which each is a chart.
        keep: (place, point) -> True if the point is in the chart.
    """
    scale = 100 if table.facts[table.protocol.primary].unit == "%" else 1
    return {
        "environment": one_line(efficiency.name),
        "charts": [_chart(each, table.numbers, scale, keep) for each in efficiency.trade_offs],
    }


def _chart(
    trade_off: TradeOff,
    numbers: Mapping[str, int],
    scale: int,
    keep: Callable[[int, Point], bool],
) -> dict[str, Any]:
    facts = trade_off.facts
    costs = [six_digits(point.cost / facts.scale) for point in trade_off.points]
    return {
        "title": one_line(facts.title),
        "unit": one_line(trade_off.unit),
        "more": facts.higher_is_better,
        "log": min(costs) > 0 and max(costs) > LOG_ABOVE * min(costs),
        "all": len(costs),
        "points": [
            {
                "row": numbers[point.entry],
                "x": x,
                "y": six_digits(point.figure.value * scale),
                "ends": [
                    None if end is None else six_digits(end * scale)
                    for end in (point.figure.low, point.figure.high)
                ],
                "front": point.front,
            }
            for place, (point, x) in enumerate(zip(trade_off.points, costs, strict=True))
            if keep(place, point)
        ],
    }


def plots(table: Table) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the pictures of a table: environment's digest -> path beside the page, and data."""
    return {
        each.environment: (plot_path(table, each.environment), plot_data(table, each))
        for each in efficiencies(table)
    }


def plot_path(table: Table, environment: str) -> str:
    """Return the path of a picture below the folder of published tables.

    The digits at the end identify table and environment.
    """
    protocol, dataset = table.protocol, table.dataset
    key = [protocol.suite, protocol.profile, protocol.version, protocol.digest]
    key += [table.budget] if table.is_point else []
    digits = digest([*key, dataset.name, dataset.lock, table.folds, environment])[:12]
    place = PurePosixPath(FOLDER, slug(protocol.suite), slug(protocol.profile))
    return str(place / f"{slug(dataset.name)}-efficiency-{digits}.svg")


def plot_data(table: Table, efficiency: Efficiency) -> dict[str, Any]:
    """Return the data of a picture: its charts, and the names of their entries.

    Of many entries it shows those on some front, and the best others.
    """
    facts = table.facts[table.protocol.primary]
    entries = efficiency.entries
    best = {p.entry for each in efficiency.trade_offs for p in each.points if p.front}
    shown = set(sorted(entries, key=lambda entry: entry not in best)[:SHOWN])
    part = f" ({len(shown)} of {len(entries)} entries)" if len(shown) < len(entries) else ""
    return {
        "drawing": DRAWING,
        "title": one_line(title(table)) + part,
        "metric": one_line(heading(facts)),
        "names": {str(table.numbers[e]): one_line(e) for e in entries if e in shown},
        **chart_data(table, efficiency, lambda _, point: point.entry in shown),
    }


def write_plot(path: Path, data: dict[str, Any]) -> None:
    """Draw a picture as an SVG file that carries its data."""
    write_bytes(path, _drawn(canonical_json(data)))


@lru_cache(maxsize=64)
def _drawn(content: str) -> bytes:
    """Return the SVG file of data in canonical spelling."""
    data, file = json.loads(content), BytesIO()
    about = {"Title": data["title"], "Description": content, "Date": None}
    with style():
        draw(data).savefig(file, format="svg", metadata=about)
    return file.getvalue()


def holds_plot(path: Path, data: dict[str, Any]) -> bool:
    """Check if a file is a picture that our drawing may have made, and carries these data."""
    return not _wrong_content(path, data)


def wrong_plot(path: Path, data: dict[str, Any]) -> str:
    """Return the reason why a file is not the picture of these data; empty if it is.

    It is drawn again, so that no mark, line or letter can have been moved.
    """
    wrong = _wrong_content(path, data)
    if wrong or is_alike(read_bytes(path), _drawn(canonical_json(data))):
        return wrong
    from matplotlib import __version__

    return f"not drawn as Matplotlib {__version__} draws its data; delete it"


def _wrong_content(path: Path, data: dict[str, Any]) -> str:
    if not path.is_file():
        return "missing"
    texts, foreign = read_drawing(path)
    if foreign:
        return f"holds what no drawing of ours does ({foreign})"
    wanted = {DESCRIPTION: canonical_json(data), TITLE: data["title"]}
    if any(texts.get(element) != [text] for element, text in wanted.items()):
        return "other data than the records give"
    return ""


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
        data: as `plot_data` returns it.
    """
    # Without a display, and without the state of pyplot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    names = {row: fill(data["names"][str(row)], NAME) for row in sorted(map(int, data["names"]))}
    lines = [line for name in names.values() for line in name.split("\n")] or [""]
    room = 0.5 + max(map(len, lines)) / LETTERS
    width = PANEL_WIDTH * len(data["charts"]) + room
    height = max(PANEL_HEIGHT, NAME_HEIGHT * len(lines)) + 0.9
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    looks: Looks = {
        row: {"color": "0.4", "marker": ""}
        if row in data.get("dashed", ())
        else {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
        for i, row in enumerate(names)
    }
    panels = figure.subplots(1, len(data["charts"]), sharey=True, squeeze=False)[0]
    for axes, chart in zip(panels, data["charts"], strict=True):
        _draw_chart(axes, chart, looks)
    panels[0].set_ylabel(data["metric"])
    letters = int(LETTERS * width)
    beside_names = int(LETTERS * (width - room))
    head = [fill(data[each], beside_names) for each in ("title", "environment") if data[each]]
    figure.suptitle("\n".join(head), x=0.01, ha="left", size=9)
    figure.supxlabel(
        fill(data.get("caption", CAPTION), letters), x=0.01, ha="left", size=8, color="0.4"
    )
    handles = [
        Line2D([], [], label=name, linestyle="none" if looks[row]["marker"] else "--", **looks[row])
        for row, name in names.items()
    ]
    figure.legend(handles=handles, loc="outside right upper", frameon=False, handletextpad=0.2)
    return figure


def _draw_chart(axes: Axes, chart: Mapping[str, Any], looks: Looks) -> None:
    points = chart["points"]
    costs = [point["x"] for point in points]
    if chart.get("lines"):
        _join_points(axes, points, looks)
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


def _join_points(axes: Axes, points: Sequence[Mapping[str, Any]], looks: Looks) -> None:
    """Join each entry's points, from the lowest cost to the highest."""
    for row, look in looks.items():
        held = sorted((p["x"], p["y"]) for p in points if p["row"] == row)
        if held:
            dashes = "-" if look["marker"] else "--"
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
    axes.set_xlabel(f"{chart['title']}{unit} {'↑' if chart['more'] else '↓'}")
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
