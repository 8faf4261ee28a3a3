"""Where things lie in a picture: ends of axes, the line of a front, names that keep apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

Ends = tuple[float, float]

LOG_ABOVE = 10
"""Costs are on a logarithmic axis where the highest is more than so many times the lowest."""

LEAST_SPAN = 0.2
"""Of the highest cost: what an axis spans at least, so that small differences look small."""

MARGIN = 0.08
"""Of the span, at both ends of an axis."""


def is_log(costs: Sequence[float]) -> bool:
    """Whether costs differ by so much that their axis is logarithmic."""
    return min(costs) > 0 and max(costs) > LOG_ABOVE * min(costs)


def cost_ends(costs: Sequence[float]) -> Ends:
    """The ends of a cost's axis."""
    low, high = min(costs), max(costs)
    if is_log(costs):
        factor = (high / low) ** MARGIN
        return low / factor, high * factor
    return _ends(low, high, LEAST_SPAN * high)


def metric_ends(values: Sequence[float], *, percent: bool) -> Ends:
    """The ends of the metric's axis; a percentage's lie little beyond 0 and 100."""
    low, high = _ends(min(values), max(values), 0.02 * max(map(abs, values)))
    if not percent:
        return low, high
    beyond = 0.02 * (high - low)
    return max(low, -beyond), min(high, 100 + beyond)


def stairs(
    points: Sequence[tuple[float, float]], ends: Ends, worst: float, *, more_is_better: bool
) -> list[tuple[float, float]]:
    """The line of a front: the best value to be had for a cost, or for better than that.

    Args:
        points: (cost, value) of the entries on the front, in whatever order.
        ends: of the cost's axis.
        worst: the end of the metric's axis from which the line comes.
        more_is_better: of the cost.

    Returns:
        Corners from the end of the axis where every entry will do to the one where none does.
    """
    easy = ends[0 if more_is_better else 1]
    ordered = sorted(points, key=lambda point: abs(point[0] - easy))
    line = [(easy, ordered[0][1])]
    for cost, value in ordered:
        line += [(line[-1][0], value), (cost, value)]
    return [*line, (line[-1][0], worst)]


def spread(wanted: Sequence[float], heights: Sequence[float], room: float) -> list[float]:
    """Places of names on a margin, as near to where they are wanted as they do not overlap.

    Least squares under order is isotonic regression, of the places less what lies below them.

    Args:
        wanted: places of the names' middles, ascending.
        heights: of the names, in the same unit; no more than `room` in all.
        room: the margin's height, which begins at 0.
    """
    import numpy as np
    from scipy.optimize import isotonic_regression

    below = np.array([0.0, *accumulate((one + next_) / 2 for one, next_ in pairwise(heights))])
    free = isotonic_regression(np.array(wanted) - below).x
    lowest, highest = heights[0] / 2, room - heights[-1] / 2 - below[-1]
    return [float(each) for each in np.clip(free, lowest, highest) + below]


def _ends(low: float, high: float, least: float) -> Ends:
    span = max(high - low, least) or 1.0
    middle, half = (low + high) / 2, span * (0.5 + MARGIN)
    return middle - half, middle + half
