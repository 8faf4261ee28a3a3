"""Memory of one step: its parts, its events, and the bytes that a GPU's allocator reserves for it.

The size of each tensor is a straight line in the batch: some rows for every item, or none. So two
traces of the same events give the memory at all batches, and a search for the largest needs no
further pass through the network. Of a loss that holds something for every two items some sizes are
parabolas, which three traces give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from math import lcm, prod
from operator import mul

from harness.budget.cuda_allocator import CachingAllocator, DoesNotFit

Event = tuple[int, int | None]
"""A storage's number, with its bytes when it is made, with None when it is freed."""


@dataclass(frozen=True)
class StepMemory:
    """Memory of a step, in bytes of tensors.

    Attributes:
        parameters: parameters and buffers.
        gradients: gradients of all parameters.
        optimizer: state of the optimiser.
        inputs: the network's input and the labels.
        activations: the most that the forward pass keeps for the backward pass.
        host: main memory that keeps tensors for the backward pass, where the device does not.
        peak: most bytes held at once.
        events: every storage in the order of coming and going (see `StorageTrace`).
        steady: index of the event that begins the step that stands for all later ones.
    """

    parameters: int
    peak: int
    gradients: int = 0
    optimizer: int = 0
    inputs: int = 0
    activations: int = 0
    host: int = 0
    events: tuple[Event, ...] = field(default=(), repr=False)
    steady: int = 0

    @property
    def temporaries(self) -> int:
        """Peak bytes beyond parameters, optimiser state, inputs and activations.

        Gradients are among them: they come as activations go.
        """
        known = self.parameters + self.optimizer + self.inputs + self.activations
        return max(0, self.peak - known)

    def reserved(self, limit: int | None = None) -> int | None:
        """Replay the events through a GPU's allocator, rounding and holes included.

        Args:
            limit: bytes that the allocator may take; None for no limit.

        Returns:
            The most bytes reserved from the steady step on; None if the limit is too low.
        """
        allocator = CachingAllocator(limit)
        handles: dict[int, int] = {}
        try:
            for place, (number, size) in enumerate(self.events):
                if place == self.steady:
                    allocator.reset_peak()
                if size is None:
                    allocator.free(handles.pop(number))
                else:
                    handles[number] = allocator.allocate(size)
        except DoesNotFit:
            return None
        return allocator.peak_reserved


Step = Callable[[int], StepMemory]
"""Returns the memory of a step at a batch."""


def step_at_any_batch(step: Step, *batches: int) -> Step:
    """Interpolate the memory of a step between some batches.

    If the events of these differ (a network that cuts large inputs, a loss that goes through
    parts), every batch is traced.

    Args:
        step: memory of a step at a batch, by tracing it.
        batches: different ones: two where sizes are straight lines in the batch, three where some
            are parabolas.
    """
    traced = [step(batch) for batch in batches]
    orders = [[(number, size is None) for number, size in each.events] for each in traced]
    if any(order != orders[0] for order in orders):
        return step

    def interpolate(batch: int) -> StepMemory:
        weights, common = _lagrange(batches, batch)

        def at(sizes: Iterable[int]) -> int:
            total: int = sum(map(mul, sizes, weights))
            return total // common

        events = tuple(
            (each[0][0], None if each[0][1] is None else at(size or 0 for _, size in each))
            for each in zip(*(trace.events for trace in traced), strict=True)
        )
        low = traced[0]
        return replace(
            low,
            inputs=at(each.inputs for each in traced),
            activations=at(each.activations for each in traced),
            host=at(each.host for each in traced),
            peak=peak_of(events, low.steady),
            events=events,
        )

    return interpolate


def _lagrange(places: Sequence[int], place: int) -> tuple[list[int], int]:
    """Return whole weights of values at some places, and what their sum is to be divided by.

    The quotient is the value at another place of the polynomial through them, exactly.

    >>> _lagrange((1, 3), 2), _lagrange((0, 1, 2), 3)
    (([1, 1], 2), ([1, -3, 3], 1))
    """
    weights = [
        prod(
            (Fraction(place - each, own - each) for each in places if each != own),
            start=Fraction(1),
        )
        for own in places
    ]
    common = lcm(*(weight.denominator for weight in weights))
    return [int(weight * common) for weight in weights], common


def peak_of(events: Sequence[Event], steady: int = 0) -> int:
    """Return the most bytes held at once from an event on."""
    held: dict[int, int] = {}
    live = peak = 0
    for place, (number, size) in enumerate(events):
        if place == steady:
            peak = live
        if size is None:
            live -= held.pop(number)
        else:
            held[number] = size
            live += size
            peak = max(peak, live)
    return peak


def sort_frees(events: Sequence[Event], steady: int = 0) -> tuple[Event, ...]:
    """Reorder storages that are freed together into the order in which they came.

    Autocast forgets its copies of weights in the order of their addresses, which is another in
    every pass; what is free after all of them is the same.

    Args:
        events: events of a step.
        steady: index of an event that no other may pass.
    """
    came = {number: place for place, (number, size) in enumerate(events) if size is not None}
    return tuple(
        event
        for part in (events[:steady], events[steady:])
        for _, together in groupby(part, lambda event: event[1] is None)
        for event in sorted(together, key=lambda event: came[event[0]])
    )


def repeat_pass(events: Sequence[Event], left: Sequence[int]) -> list[Event] | None:
    """Return the events of a second pass, after what the first one left was freed.

    Args:
        events: events of the first pass.
        left: numbers of the storages that are all that it leaves (gradients), in the order in
            which they are freed before the second pass.

    Returns:
        The frees, then the pass with numbers of its own, which are negative; None if the first
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


def repeat_update(events: Sequence[Event]) -> list[Event]:
    """Return the events of an optimiser's second update, with numbers as in `repeat_pass`.

    Args:
        events: events of the first update, which also makes the state that the second one finds.
    """
    passing = {number for number, size in events if size is None}
    return [(-1 - number, size) for number, size in events if number in passing]
