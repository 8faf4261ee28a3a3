"""The picture of a curve: its data and its path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from harness.board.record_paths import slug
from harness.board.standing.costs import environments
from harness.board.standing.curve import CurvePoint, TablesCurve
from harness.board.standing.figures import heading, one_line, six_digits
from harness.board.writing.axis_words import axis_words, curve_title
from harness.board.writing.charts import DRAWING, FOLDER
from harness.records.documents import digest

Cost = Callable[[CurvePoint], float | None]

DOUBLINGS = 3
"""An axis is logarithmic above so many times its lowest value: budgets double."""


LARGE = 1.8
"""Size of a panel that is alone, over that of one beside others."""


def curve_digits(curve: TablesCurve) -> str:
    """Return digits that identify a curve, and stay as long as its rules do."""
    return digest(["curve", *curve.rules])[:12]


def curve_name(curve: TablesCurve) -> str:
    """Return the name of a curve's picture, and of its place on a page of the site."""
    of = curve.axis if curve.is_over_datasets else curve.endpoint.dataset.name
    return f"{slug(of)}-curve-{curve_digits(curve)}"


def curve_path(curve: TablesCurve) -> str:
    """Return the path of a curve's picture below the folder of published tables."""
    protocol = curve.endpoint.protocol
    place = PurePosixPath(FOLDER, slug(protocol.suite), slug(protocol.profile))
    return str(place / f"{curve_name(curve)}.svg")


def curve_data(curve: TablesCurve) -> dict[str, Any]:
    """Return the data of a picture: the metric against the axis, and over budgets against time.

    Its charts have the form of those of efficiency (`harness.board.writing.charts`).
    """
    words = axis_words(curve)
    own = _chart(curve, words.title, "", lambda point: float(point.level))
    own["ticks"] = list(curve.levels)
    baselines = [i for i, line in enumerate(curve.lines) if line.is_baseline]
    timed = [] if curve.is_over_datasets else _timed(curve)
    several = len(timed) > 1
    for number, (_, chart) in enumerate(timed, 1):
        chart["title"] += f", machine {number}" * several
    where = [f"{number}: {name}" if several else name for number, (name, _) in enumerate(timed, 1)]
    return {
        "drawing": DRAWING,
        "title": one_line(curve_title(curve)),
        "environment": one_line("; ".join(where)),
        "metric": one_line(heading(curve.facts)),
        "caption": words.caption,
        "names": {str(i): one_line(line.entry) for i, line in enumerate(curve.lines)},
        # A baseline is the same at each budget, and another on each dataset.
        "dashed": baselines,
        **({"marked": baselines} if curve.is_over_datasets else {}),
        **({} if timed else {"scale": LARGE}),
        "charts": [own, *(chart for _, chart in timed)],
    }


def _timed(curve: TablesCurve) -> list[tuple[str, dict[str, Any]]]:
    """Return each environment with the chart of training times in it, if it has several."""
    named: dict[str, str] = {}
    for table in curve.tables:
        named |= {key: name for key, name in environments(table.rows).items() if key}
    timed = [
        (name, _chart(curve, "training time of a seed", "min", _minutes(key)))
        for key, name in sorted(named.items(), key=lambda item: (item[1], item[0]))
    ]
    return [(name, chart) for name, chart in timed if len(chart["points"]) > 1]


def _minutes(environment: str) -> Cost:
    def minutes(point: CurvePoint) -> float | None:
        seconds = point.seconds.get(environment)
        return None if seconds is None else seconds / 60

    return minutes


def _chart(curve: TablesCurve, title: str, unit: str, cost: Cost) -> dict[str, Any]:
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
        "more": None if curve.is_over_datasets else False,
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
