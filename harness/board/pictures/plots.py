"""Pictures of efficiency: what each shows as plain data, its place, and the data in its file.

A picture is drawn from its data alone and carries them. So its file is held against the records by
what it shows, and not by its bytes, which depend on the versions of the libraries that draw.
"""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from harness.board.names import slug
from harness.board.standing.numbers import heading
from harness.board.standing.table import Table
from harness.board.text import one_line
from harness.board.writing.efficiency import (
    Cost,
    Efficiency,
    Point,
    TradeOff,
    efficiencies,
    six_digits,
)
from harness.board.writing.head import title
from harness.records.documents import canonical_json, digest
from harness.records.files import atomic_file

FOLDER = "plots"
DRAWING = 1
"""Version of the drawing: a new one draws every picture again."""

SHOWN = 28
"""Entries of a picture at the most: half of what colours and shapes tell apart, a page of names."""

DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
"""Where a picture carries its data."""


def plots(table: Table) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pictures of a table: environment's digest -> path beside the page, and what it shows."""
    return {
        each.environment: (plot_path(table, each.environment), plot_data(table, each))
        for each in efficiencies(table)
    }


def plot_path(table: Table, environment: str) -> str:
    """The path of a picture below the folder of published tables.

    The digits at the end tell tables and environments apart.
    """
    protocol, dataset = table.protocol, table.dataset
    key = [protocol.suite, protocol.profile, protocol.version, protocol.digest]
    digits = digest([*key, dataset.name, dataset.lock, table.folds, environment])[:12]
    place = PurePosixPath(FOLDER, slug(protocol.suite), slug(protocol.profile))
    return str(place / f"{slug(dataset.name)}-efficiency-{digits}.svg")


def plot_data(table: Table, efficiency: Efficiency) -> dict[str, Any]:
    """What a picture shows, as plain JSON types in the units in which it is shown.

    Of many entries it is those on some front, and the best others.
    """
    facts = table.facts[table.protocol.primary]
    percent = facts.unit == "%"
    shown, scale = _shown(efficiency), 100 if percent else 1
    return {
        "drawing": DRAWING,
        "title": one_line(title(table)) + _part(len(shown), len(efficiency.entries)),
        "environment": one_line(efficiency.name),
        "metric": one_line(heading(facts)),
        "percent": percent,
        "higher_is_better": facts.higher_is_better,
        "entries": [one_line(entry) for entry in shown],
        "panels": [_panel(each, set(shown), scale) for each in efficiency.trade_offs],
    }


def write_plot(path: Path, data: dict[str, Any]) -> None:
    """Draw a picture as an SVG file that carries its data."""
    from harness.board.pictures.drawing import draw, style

    about = {"Title": data["title"], "Description": canonical_json(data), "Date": None}
    with style(), atomic_file(path) as file:
        draw(data).savefig(file, format="svg", metadata=about)


def holds_plot(path: Path, data: dict[str, Any]) -> bool:
    """Whether a file is a picture that carries these data."""
    try:
        found = ElementTree.parse(path).find(f".//{DESCRIPTION}")
    except (OSError, ElementTree.ParseError):
        return False
    return found is not None and found.text == canonical_json(data)


def _shown(efficiency: Efficiency) -> list[str]:
    """The entries of a picture, in the order of the table, which begins with the best."""
    points = [point for each in efficiency.trade_offs for point in each.points]
    best = {point.entry for point in points if point.front}
    first = sorted(efficiency.entries, key=lambda entry: entry not in best)[:SHOWN]
    chosen = set(first)
    return [entry for entry in efficiency.entries if entry in chosen]


def _part(shown: int, entries: int) -> str:
    """What a title adds where not all entries are shown."""
    return f" ({shown} of {entries} entries)" if shown < entries else ""


def _panel(trade_off: TradeOff, shown: Set[str], scale: int) -> dict[str, Any]:
    cost = trade_off.cost
    return {
        "cost": one_line(cost.heading),
        "higher_is_better": cost.more_is_better,
        "points": [_point(each, cost, scale) for each in trade_off.points if each.entry in shown],
    }


def _point(point: Point, cost: Cost, scale: int) -> dict[str, Any]:
    figure = point.figure
    known = {"value": figure.value, "low": figure.low, "high": figure.high}
    shown = {name: None if v is None else six_digits(v * scale) for name, v in known.items()}
    spent = six_digits(point.cost / cost.scale)
    return {"entry": one_line(point.entry), "cost": spent, "front": point.front, **shown}
