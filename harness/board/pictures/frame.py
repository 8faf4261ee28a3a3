"""How large a picture of efficiency is: its panels, and room for what is written around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import wrap
from typing import Any

TEXT, SMALL = 9.0, 8.0
"""Sizes in points: 12 and 10.7 pixels of a screen."""

POINT, LINE = 1 / 72, 1.4
"""Inches in a point; the height of a line in heights of its text."""

PANEL_WIDTH, PANEL_HEIGHT = 2.35, 2.7
"""Of a panel in inches; it is higher where names need it."""

EDGE, LEFT, GAP, TICKS = 0.12, 0.66, 0.22, 0.27
"""Inches: around the picture, for the metric's ticks, between panels, for the costs' ticks."""

REACH, KEY = 0.3, 0.12
"""Inches: from the panels to the mark before a name, and from there to the name."""

NAME = 32
"""Characters on a line of a name."""

MEANING = "Filled marks on the line: no other entry is at least as good in both and better in one."
BARS = "Bars: interval over the test sample."
ARROWS = "↓ less is better, ↑ more is better."


@dataclass(frozen=True)
class Frame:
    """A picture's measures in inches, and its texts in lines.

    Attributes:
        panels: how many there are.
        names: entry -> its name in lines.
        titles: heading of a cost -> the same in lines.
        head: what is said above.
        bars: whether some point has an interval.
    """

    panels: int
    names: Mapping[str, Sequence[str]]
    titles: Mapping[str, Sequence[str]]
    head: Sequence[str]
    bars: bool

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Frame:
        """The frame of what `plots.plot_data` gives."""
        panels = data["panels"]
        return cls(
            len(panels),
            {entry: wrap(entry, NAME) or [""] for entry in data["entries"]},
            {panel["cost"]: _wrapped(panel["cost"], TEXT, PANEL_WIDTH) for panel in panels},
            (data["title"], data["environment"]),
            any(point["low"] is not None for panel in panels for point in panel["points"]),
        )

    @cached_property
    def right(self) -> float:
        """Where the last panel ends."""
        return LEFT + self.panels * PANEL_WIDTH + (self.panels - 1) * GAP

    @cached_property
    def width(self) -> float:
        """Of the picture."""
        names = max(_wide(line, TEXT) for lines in self.names.values() for line in lines)
        return self.right + REACH + KEY + names + EDGE

    @cached_property
    def panel_height(self) -> float:
        """Enough for all names."""
        return max(PANEL_HEIGHT, sum(map(self.name_height, self.names)))

    @cached_property
    def bottom(self) -> float:
        """Where the panels begin: above the caption, the costs' titles and their ticks."""
        titles = max(len(lines) for lines in self.titles.values())
        return 2 * EDGE + _high(len(self.caption), SMALL) + _high(titles, TEXT) + TICKS

    @cached_property
    def height(self) -> float:
        """Of the picture."""
        return self.bottom + self.panel_height + 2 * EDGE + _high(len(self.title), TEXT)

    @cached_property
    def title(self) -> list[str]:
        """What is said above the panels."""
        room = self.width - 2 * EDGE
        return [line for text in self.head for line in _wrapped(text, TEXT, room)]

    @cached_property
    def caption(self) -> list[str]:
        """What marks, line, bars and arrows mean."""
        said = [MEANING, *([BARS] if self.bars else []), ARROWS]
        return _wrapped(" ".join(said), SMALL, self.width - 2 * EDGE)

    def panel(self, number: int) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of a panel, as shares of the picture."""
        left = LEFT + number * (PANEL_WIDTH + GAP)
        wide, high = PANEL_WIDTH / self.width, self.panel_height / self.height
        return left / self.width, self.bottom / self.height, wide, high

    def name_height(self, entry: str) -> float:
        """The height of an entry's name."""
        return _high(len(self.names[entry]), TEXT)


def _wrapped(text: str, size: float, room: float) -> list[str]:
    """Text on lines of so many inches, as many of its mean letters on each as fit."""
    wide = _wide(text, size)
    if wide <= room:
        return [text]
    return wrap(text, max(1, int(0.9 * len(text) * room / wide)))


def _high(lines: int, size: float) -> float:
    return lines * size * LINE * POINT


def _wide(text: str, size: float) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] * POINT
