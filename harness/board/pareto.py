"""Points that no other point beats: the non-dominated set, or Pareto front."""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[Sequence[float]]) -> tuple[bool, ...]:
    """Tell of each point whether no other is at least as good in everything and better in one.

    Points that are equal in everything do not beat each other, so all of them are on the front, or
    none is.

    Args:
        points: [points, criteria], less is better in each; finite.

    >>> front([(1, 3), (2, 2), (2, 3), (3, 1)])
    (True, True, False, True)
    """
    return tuple(not any(beats(other, point) for other in points) for point in points)


def beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether a point is nowhere worse than another and somewhere better (Pareto dominance)."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)
