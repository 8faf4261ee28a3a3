"""The picture of a comparison at several budgets: its data and its path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from harness.board.record_paths import slug
from harness.board.standing.budget_curve import BudgetCurve, CurvePoint
from harness.board.standing.costs import environments
from harness.board.standing.figures import heading, one_line, six_digits
from harness.board.writing.captions import data_title
from harness.board.writing.charts import DRAWING, FOLDER
from harness.records.documents import digest

Cost = Callable[[CurvePoint], float | None]

CAPTION = (
    "Each point is a training of its own, with its whole schedule. Filled: no other entry is "
    "significantly better at this budget. Bars: interval over the test sample. Dashed: no training."
)

DOUBLINGS = 3
"""Costs are on a logarithmic axis above so many times the lowest: budgets double."""


def curve_digits(curve: BudgetCurve) -> str:
    """Return digits that identify a curve, and stay as long as its rules do."""
    return digest(["curve", *curve.endpoint.rules])[:12]


def curve_path(curve: BudgetCurve) -> str:
    """Return the path of a curve's picture below the folder of published tables."""
    protocol, dataset = curve.endpoint.protocol, curve.endpoint.dataset
    place = PurePosixPath(FOLDER, slug(protocol.suite), slug(protocol.profile))
    return str(place / f"{slug(dataset.name)}-curve-{curve_digits(curve)}.svg")


def curve_data(curve: BudgetCurve) -> dict[str, Any]:
    """Return the data of a picture: the metric against crops, and against time in each environment.

    Its charts have the form of those of efficiency (`harness.board.writing.charts`).
    """
    named: dict[str, str] = {}
    for table in curve.tables:
        named |= {key: name for key, name in environments(table.rows).items() if key}
    crops = _chart(curve, "crops seen", "", lambda point: float(point.budget))
    crops["ticks"] = list(curve.budgets)
    timed = [
        (name, _chart(curve, "training time of a seed", "min", _minutes(key)))
        for key, name in sorted(named.items(), key=lambda item: (item[1], item[0]))
    ]
    timed = [(name, chart) for name, chart in timed if len(chart["points"]) > 1]
    several = len(timed) > 1
    for number, (_, chart) in enumerate(timed, 1):
        chart["title"] += f", machine {number}" * several
    where = [f"{number}: {name}" if several else name for number, (name, _) in enumerate(timed, 1)]
    return {
        "drawing": DRAWING,
        "title": one_line(f"{data_title(curve.endpoint)}: {curve.facts.title} over budgets"),
        "environment": one_line("; ".join(where)),
        "metric": one_line(heading(curve.facts)),
        "caption": CAPTION,
        "names": {str(i): one_line(line.entry) for i, line in enumerate(curve.lines)},
        "dashed": [i for i, line in enumerate(curve.lines) if line.is_baseline],
        "charts": [crops, *(chart for _, chart in timed)],
    }


def _minutes(environment: str) -> Cost:
    def minutes(point: CurvePoint) -> float | None:
        seconds = point.seconds.get(environment)
        return None if seconds is None else seconds / 60

    return minutes


def _chart(curve: BudgetCurve, title: str, unit: str, cost: Cost) -> dict[str, Any]:
    """Return one chart; a point whose cost is not known is not in it."""
    points = [
        _point(number, point, six_digits(x), 100 if curve.facts.unit == "%" else 1)
        for number, line in enumerate(curve.lines)
        for point in line.points
        if (x := cost(point)) is not None
    ]
    return {
        "title": title,
        "unit": unit,
        "more": False,
        "lines": True,
        "log": _spans_much(point["x"] for point in points),
        "points": points,
    }


def _spans_much(costs: Iterable[float]) -> bool:
    held = list(costs)
    return bool(held) and min(held) > 0 and max(held) > DOUBLINGS * min(held)


def _point(number: int, point: CurvePoint, x: float, scale: int) -> dict[str, Any]:
    ends = (point.figure.low, point.figure.high)
    return {
        "row": number,
        "x": x,
        "y": six_digits(point.figure.value * scale),
        "ends": [None if end is None else six_digits(end * scale) for end in ends],
        "front": point.rank == 1,
    }
