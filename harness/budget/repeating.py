"""A step that goes like one before it, told without being gone through."""

from __future__ import annotations

from collections.abc import Sequence

from harness.budget.step_memory import Event


def again(events: Sequence[Event], left: Sequence[int]) -> list[Event] | None:
    """The events of a pass once more, after what the first one left was freed.

    Args:
        events: of the first pass.
        left: numbers of the storages that are all that it leaves (gradients), in the order in
            which they are freed before the second pass.

    Returns:
        The frees, then the pass with numbers of its own, which are negative; None where the first
        pass leaves other storages too, or frees some that were there before it: the second one may
        then be another.
    """
    made: set[int] = set()
    for number, size in events:
        if size is not None:
            made.add(number)
        elif number in made:
            made.remove(number)
        else:
            return None
    if made != set(left):
        return None
    freed: list[Event] = [(number, None) for number in left]
    return freed + [(-1 - number, size) for number, size in events]
