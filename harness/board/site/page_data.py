"""Data of a table for the page's program, as plain JSON types.

Comparing two entries takes the primary metric with each unit left out, of both: so these values go
into the page, and not the comparisons, of which there are as many as pairs. They are deviations
from the row's own value as integers of a power of ten, six digits at most. DET curves go into the
page as places on the scale of the drawing.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from harness.board.site.page_columns import PageColumn, components
from harness.board.standing.figures import heading, one_line, six_digits
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.writing.charts import chart_data
from harness.board.writing.efficiency import efficiencies
from harness.board.writing.grids import failure
from harness.records.details_schema import Det, Details
from harness.records.documents import digest

Floats = NDArray[np.float64]

FACETS = ("model", "loss", "track", "recipe", "trust", "state")
NONE = "none"

DRAWN = 300
"""Of more points than these, a chart holds the best ones and those that no other beats."""

DIGITS = 6
"""Of the largest deviation in a table; the spread of a difference is known to five of them."""

ESTIMATE_DIGITS = 9

STEPS = 1000
"""Of a standard deviation: a point's place is an integer number of these."""

TICKS = (0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
"""Rates that an axis may name."""

READ_AT = (0.001, 0.01, 0.1)
"""False-alarm rates at which the miss rates are written out."""


def table_data(
    table: Table, columns: Sequence[PageColumn], keys: Sequence[str], details: Mapping[str, Details]
) -> dict[str, Any]:
    """Return a table's columns, rows, and the values that their comparison takes.

    Args:
        table: the table.
        columns: of the table on the page.
        keys: the rows' names in links, as `row_keys` gives them.
        details: record's path -> the details beside it.
    """
    facts = table.facts[table.protocol.primary]
    return {
        "columns": [_column(each) for each in columns],
        "rows": _rows(table, keys),
        "facets": list(FACETS),
        "none": NONE,
        "primary": f"m.{table.protocol.primary}",
        "metric": {
            "title": one_line(facts.title),
            "heading": one_line(heading(facts)),
            "unit": facts.unit,
            "decimals": facts.decimals,
            "scale": 100 if facts.unit == "%" else 1,
            "higher": facts.higher_is_better,
        },
        "pairs": pairs(table),
        "tradeoffs": [
            chart_data(table, each, lambda place, point: place < DRAWN or point.front)
            for each in efficiencies(table)
        ],
        "det": curves(table, details),
    }


def row_keys(table: Table) -> list[str]:
    """Return short names of rows for links, which stay as long as a row keeps its name and seed."""
    keys: dict[str, None] = {}
    for name, row in zip(table.labels, table.rows, strict=True):
        turn, key = 0, ""
        while not key or key in keys:
            key = digest([name, None if row.is_done else row.first.seed, turn])[:6]
            turn += 1
        keys[key] = None
    return list(keys)


def group_of(row: Row) -> str:
    """Return the group of rows on the page that a row belongs to."""
    if not row.is_done:
        return "failed"
    return "claimed" if row.is_claimed else "results"


def _rows(table: Table, keys: Sequence[str]) -> list[dict[str, Any]]:
    named = zip(keys, table.labels, table.rows, strict=True)
    return [
        {
            "key": key,
            "name": one_line(name),
            "group": group_of(row),
            "facets": [
                one_line({**components(row), "state": row.state}[facet] or NONE) for facet in FACETS
            ],
            "reason": "" if row.is_done else one_line(failure(row)),
        }
        for key, name, row in named
    ]


def _column(column: PageColumn) -> dict[str, Any]:
    return {
        "key": column.key,
        "title": one_line(column.title),
        "numeric": column.numeric,
        "higher": column.higher_is_better,
        "compared": column.compared,
        "scale": column.scale,
        "decimals": column.decimals,
        "shown": column.shown,
        "values": [
            one_line(cell.value) if isinstance(cell.value, str) else cell.value
            for cell in column.cells
        ],
    }


def pairs(table: Table) -> dict[str, Any]:
    """Return the values behind the table's paired comparisons, as plain JSON types.

    Rows without a rank take part in no comparison, as in the table's own ranks; if no row has
    one, `reason` says why.
    """
    ranked = [i for i, rank in enumerate(table.ranking.ranks) if rank is not None]
    if not ranked:
        return {"reason": table.ranking.reason or "no row has a rank"}
    metric, spread = table.protocol.primary, table.ranking.spread
    rows = [table.rows[i] for i in ranked]
    deviations = [_deviations(row, metric) for row in rows]
    power = _power(deviations)
    return {
        "unit": table.dataset.unit,
        "rows": ranked,
        "estimates": [float(f"{_estimate(row, metric):.{ESTIMATE_DIGITS}g}") for row in rows],
        "seeds": [0 if row.first.is_baseline else len(row.results) for row in rows],
        "spread": spread
        and {"sd": six_digits(spread.sd), "freedom": spread.freedom, "scale": spread.scale},
        "power": power,
        "left": [[round(value * 10.0**-power) for value in row] for row in deviations],
    }


def _estimate(row: Row, metric: str) -> float:
    return statistics.fmean(record.metrics[metric].value for record in row.results)


def _deviations(row: Row, metric: str) -> list[float]:
    """Return the metric without each unit less the metric, in the order of the units' names."""
    left, estimate = row.left_one_out(metric) or {}, _estimate(row, metric)
    return [left[unit] - estimate for unit in sorted(left)]


def _power(deviations: Sequence[Sequence[float]]) -> int:
    """Return the power of ten of which the largest deviation is at most DIGITS digits."""
    largest = max((abs(value) for row in deviations for value in row), default=0.0)
    return int(f"{largest:e}".split("e")[1]) + 1 - DIGITS if largest else 0


def curves(table: Table, details: Mapping[str, Details]) -> dict[str, Any] | None:
    """Return the curves of every row that has some, one for each record; None if no row has one.

    Args:
        table: the table.
        details: record's path -> the details beside it.
    """
    found = {number: _curves(row, details) for number, row in enumerate(table.rows)}
    drawn = {str(number): each for number, each in found.items() if each}
    if not drawn:
        return None
    ticks = [[round(float(ndtri(rate)) * STEPS), f"{100 * rate:g}"] for rate in TICKS]
    return {"steps": STEPS, "ticks": ticks, "at": [f"{100 * r:g}" for r in READ_AT], "rows": drawn}


def _curves(row: Row, details: Mapping[str, Details]) -> list[dict[str, Any]]:
    if not row.is_done:
        return []
    parts = [part for filed in row.filed for part in filed.files]
    beside = [details[part.path].det for part in parts if part.path in details]
    return [_curve(det) for det in beside if det is not None and len(det.miss) > 1]


def _curve(det: Det) -> dict[str, Any]:
    false_alarm, miss = np.array(det.false_alarm), np.array(det.miss)
    least = np.array([det.min_dcf.false_alarm]), np.array([det.min_dcf.miss])
    return {
        "x": _places(false_alarm, det.nontargets),
        "y": _places(miss, det.targets),
        "least": _places(least[0], det.nontargets) + _places(least[1], det.targets),
        "miss": [_miss_at(false_alarm, miss, rate) for rate in READ_AT],
    }


def _places(rates: Floats, trials: int) -> list[int]:
    """Return the places of rates on the normal scale, 0 and 1 half a trial inside."""
    half = 0.5 / trials
    return [round(place) for place in (ndtri(np.clip(rates, half, 1 - half)) * STEPS).tolist()]


def _miss_at(false_alarm: Floats, miss: Floats, rate: float) -> float:
    """Return the least miss rate, in per cent, at no more than a rate of false alarms."""
    allowed = false_alarm <= rate
    return float(f"{100 * float(miss[allowed].min()):.6g}") if allowed.any() else 100.0
