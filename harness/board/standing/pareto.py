"""Points that no other point beats: the non-dominated set, or Pareto front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def front(points: Sequence[Sequence[float]]) -> tuple[bool, ...]:
    """Tell of each point whether no other is at least as good in everything and better in one.

    Points that are equal in everything do not beat each other, so all of them are on the front, or
    none is.

    Args:
        points: [points, criteria], less is better in each; finite.

    >>> front([(1, 3), (2, 2), (2, 3), (3, 1)])
    (True, True, False, True)
    """
    if not points:
        return ()
    # In this order a point is only beaten by an earlier one, and then by one of the front. Adding
    # 0 makes -0 the 0 that it is equal to.
    given = np.asarray(points, dtype=np.float64) + 0.0
    distinct, places = np.unique(given, axis=0, return_inverse=True)
    best = np.empty_like(distinct)
    marks, count = np.zeros(len(distinct), dtype=bool), 0
    for place, point in enumerate(distinct):
        marks[place] = not np.any(np.all(best[:count] <= point, axis=1))
        if marks[place]:
            best[count], count = point, count + 1
    return tuple(marks[places.reshape(-1)].tolist())
