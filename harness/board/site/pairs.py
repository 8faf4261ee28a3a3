"""What a page needs to compare any two rows of a table, whatever their number.

Comparing two entries takes the primary metric with each unit left out, of both: so these values go
into the page, and not the comparisons, of which there are as many as pairs. They are deviations
from the row's own value as whole numbers of a power of ten, six digits at the most.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.writing.efficiency import six_digits

DIGITS = 6
"""Of the largest deviation in a table; the spread of a difference is known to five of them."""

ESTIMATE_DIGITS = 9


def pairs(table: Table) -> dict[str, Any]:
    """The values behind the table's paired comparisons, as plain JSON types.

    Rows without a rank take part in no comparison, as in the table's own ranks; where no row has
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
    """How much the metric without each unit exceeds the metric, in the order of their names."""
    left, estimate = row.left_one_out(metric) or {}, _estimate(row, metric)
    return [left[unit] - estimate for unit in sorted(left)]


def _power(deviations: Sequence[Sequence[float]]) -> int:
    """The power of ten of which the largest deviation is at most DIGITS digits."""
    largest = max((abs(value) for row in deviations for value in row), default=0.0)
    return int(f"{largest:e}".split("e")[1]) + 1 - DIGITS if largest else 0
