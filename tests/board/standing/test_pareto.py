"""The front against a sweep over sorted points, and its laws."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.board.writing.efficiency import front

# Few values, so that ties in one and in both are common.
POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=15)


def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether a point is nowhere worse than another and somewhere better (Pareto dominance)."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def swept(points: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """The front by one pass: sorted by the first, a point stays if it is a new least second."""
    kept: list[tuple[int, int]] = []
    for point in sorted(set(points)):
        if not kept or point[1] < kept[-1][1]:
            kept.append(point)
    return set(kept)


@given(POINTS)
def test_it_is_what_a_sweep_finds(points):
    assert front(points) == tuple(point in swept(points) for point in points)


@given(st.lists(st.tuples(*[st.floats(-1, 1) | st.just(-0.0)] * 3), max_size=40))
def test_it_is_what_nothing_beats(points):
    wanted = tuple(not any(beats(other, point) for other in points) for point in points)
    assert front(points) == wanted


@given(POINTS)
def test_an_order_preserving_scale_changes_nothing(points):
    assert front([(x**3 - 5, 2.0**y) for x, y in points]) == front(points)


def test_equal_points_stay_together():
    assert front([(1, 2), (1, 2), (2, 1), (2, 2), (2, 2)]) == (True, True, True, False, False)


def test_a_tie_in_one_is_decided_by_the_other():
    assert front([(1, 2), (1, 3), (2, 2)]) == (True, False, False)


def test_three_criteria():
    assert front([(1, 2, 3), (3, 2, 1), (3, 2, 3), (2, 1, 2)]) == (True, True, False, True)
