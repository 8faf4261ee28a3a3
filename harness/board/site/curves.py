"""DET curves of a table's rows as a page draws them: places on the scale of the drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.records.details_schema import Det, Details

Floats = NDArray[np.float64]

STEPS = 1000
"""Of a standard deviation: a point's place is a whole number of these."""

TICKS = (0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
"""Rates that an axis may name."""

READ_AT = (0.001, 0.01, 0.1)
"""False-alarm rates at which the miss rates are written out."""


def curves(table: Table, details: Mapping[str, Details]) -> dict[str, Any] | None:
    """The curves of every row that has some, one for each record; None where no row has one.

    Args:
        table: the table.
        details: record's path -> what lies beside it.
    """
    found = {number: _curves(row, details) for number, row in enumerate(table.rows)}
    drawn = {str(number): each for number, each in found.items() if each}
    if not drawn:
        return None
    ticks = [[_place(rate), f"{100 * rate:g}"] for rate in TICKS]
    return {"steps": STEPS, "ticks": ticks, "at": [f"{100 * r:g}" for r in READ_AT], "rows": drawn}


def _curves(row: Row, details: Mapping[str, Details]) -> list[dict[str, Any]]:
    if not row.done:
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
    """Where rates stand on the scale of the normal distribution, 0 and 1 half a trial inside."""
    half = 0.5 / trials
    return [round(place) for place in (ndtri(np.clip(rates, half, 1 - half)) * STEPS).tolist()]


def _place(rate: float) -> int:
    return round(float(ndtri(rate)) * STEPS)


def _miss_at(false_alarm: Floats, miss: Floats, rate: float) -> float:
    """The least miss rate, in per cent, at which no more than a rate of false alarms is let by."""
    allowed = false_alarm <= rate
    return float(f"{100 * float(miss[allowed].min()):.6g}") if allowed.any() else 100.0
