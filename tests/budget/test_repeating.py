"""A second pass is the first one's with other storages, or nothing is told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.budget.step_memory import Event, peak_of, repeat_pass

SIZES = st.lists(st.tuples(st.integers(1, 99), st.booleans()), min_size=1, max_size=12)


def passed(sizes: list[tuple[int, bool]]) -> tuple[list[Event], list[int]]:
    """A pass that makes storages, and frees some as soon as the next one is there."""
    events: list[Event] = []
    left: list[int] = []
    for size, stays in sizes:
        number = len(events)
        events.append((number, size))
        if stays:
            left.append(number)
        else:
            events.append((number, None))
    return events, left


@given(SIZES)
def test_a_second_pass_holds_what_the_first_one_held(sizes):
    events, left = passed(sizes)
    second = repeat_pass(events, left)
    assert second is not None
    both = (*events, *second)
    assert peak_of(both, len(events) + len(left)) == peak_of(tuple(events))
    assert [size for _, size in second[len(left) :]] == [size for _, size in events]
    numbers = [number for number, size in both if size is not None]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([(1, 5), (0, None)], [1]),
        ([(1, 5), (2, 5)], [1]),
        ([(1, 5), (1, None)], [1]),
    ],
    ids=["frees what was there", "leaves something else", "leaves less"],
)
def test_a_pass_that_changes_anything_else_tells_nothing_of_the_next(events, left):
    assert repeat_pass(events, left) is None
