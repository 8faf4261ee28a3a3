"""Pictures of a report: small vector charts whose bytes depend on nothing but what they show.

Runs differ in colour, line and marker at once, so that they are told apart in grey too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from harness.board.writing.chart_drawing import COLOURS, MARKERS, style
from harness.report.text import short_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1.2)), (0, (6, 1, 1, 1, 1, 1)), (0, (8, 3)))
PANEL = (4.2, 2.7)
"""Inches of a picture of which several stand beside one another."""

WIDE = 100
"""Values are on a logarithmic axis if the highest is more than so many times the lowest."""

QUIET = "0.45"
"""The grey of what explains the data: marks, margins, notes."""


@contextmanager
def drawing(width: float = PANEL[0], height: float = PANEL[1]) -> Iterator[Figure]:
    """Give an empty figure, to be filled and written (`svg`) within this context.

    Args:
        width: in inches; a page shows 96 pixels for each where it has the room.
        height: the same.
    """
    # Without a display, and without the state of pyplot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def svg(figure: Figure) -> bytes:
    """Return a figure as an SVG file, the same bytes for the same figure and libraries."""
    file = BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def look(place: int) -> dict[str, Any]:
    """Return colour, line and marker of the run at a place, for `Axes.plot`."""
    return {
        "color": COLOURS[place % len(COLOURS)],
        "linestyle": LINES[place % len(LINES)],
        "marker": MARKERS[place % len(MARKERS)],
        "markersize": 4,
        "linewidth": 1.4,
    }


def drawn_name(name: str, place: int) -> str:
    """Return a run's name as a picture can show it: by its number where the font lacks letters."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    return name if all(font.get_char_index(ord(letter)) for letter in name) else f"#{place + 1}"


def scale_values(axes: Axes, low: float, high: float) -> None:
    """Make the vertical axis logarithmic if positive values span more than a factor of `WIDE`."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if low > 0 and high > WIDE * low:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _power_of_ten(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _power_of_ten(value: float) -> str:
    """Return the label of a logarithmic axis: `0.001`, and `1e-4` from there on."""
    return f"{value:.0e}".replace("e-0", "e-") if value < 0.0009 else short_number(value)
