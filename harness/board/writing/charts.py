"""Charts of efficiency: their data, and the pictures of them, and of curves, that Markdown shows.

The pages of the site draw the same data. A picture carries its data. A build draws it again where
its data are others; `check` draws it in any case and compares all that stands in its file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from harness.board.record_paths import slug
from harness.board.standing.figures import heading, one_line, six_digits
from harness.board.standing.table import Table
from harness.board.writing.captions import title
from harness.board.writing.chart_drawing import draw, style
from harness.board.writing.drawn_svg import DESCRIPTION, TITLE, is_alike, read_drawing
from harness.board.writing.efficiency import Efficiency, Point, TradeOff, efficiencies
from harness.records.documents import canonical_json, digest
from harness.records.files import read_bytes, write_bytes

FOLDER = "plots"
DRAWING = 4
"""Version of the drawing: a new one draws every picture again."""

SHOWN = 28
"""Entries of a picture at most: half of what colours and shapes distinguish."""

LOG_ABOVE = 10
"""Costs are on a logarithmic axis if the highest is more than so many times the lowest."""


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
