"""The efficiency of a table's rows as a page draws it."""

from __future__ import annotations

from typing import Any

from harness.board.pictures.geometry import is_log
from harness.board.standing.table import Table
from harness.board.text import one_line
from harness.board.writing.efficiency import Point, TradeOff, efficiencies, six_digits

DRAWN = 300
"""Of more points than these, a picture holds the best ones and those that no other beats."""


def trade_offs(table: Table) -> list[dict[str, Any]]:
    """Each environment's trade-offs, in the units in which they are shown; rows by number."""
    scale = 100 if table.facts[table.protocol.primary].unit == "%" else 1
    return [
        {
            "environment": one_line(each.name),
            "charts": [_chart(trade_off, table.numbers, scale) for trade_off in each.trade_offs],
        }
        for each in efficiencies(table)
    ]


def _chart(trade_off: TradeOff, numbers: dict[str, int], scale: int) -> dict[str, Any]:
    cost = trade_off.cost
    spent = [point.cost / cost.scale for point in trade_off.points]
    return {
        "title": cost.title,
        "unit": cost.shown,
        "more": cost.more_is_better,
        "log": is_log(spent),
        "all": len(spent),
        "points": [
            _point(point, numbers, x, scale)
            for place, (point, x) in enumerate(zip(trade_off.points, spent, strict=True))
            if place < DRAWN or point.front
        ],
    }


def _point(point: Point, numbers: dict[str, int], x: float, scale: int) -> dict[str, Any]:
    figure = point.figure
    ends = [None if end is None else six_digits(end * scale) for end in (figure.low, figure.high)]
    return {
        "row": numbers[point.entry],
        "x": six_digits(x),
        "y": six_digits(figure.value * scale),
        "ends": ends,
        "front": point.front,
    }
