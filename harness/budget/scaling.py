"""The memory of a step at any batch, from what it is at two.

Each tensor's size is a straight line in the batch: some rows for every item, or none. So two traces
of one course of events tell all others, and a search needs no further pass through the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.budget.step_memory import Event, StepMemory

Step = Callable[[int], StepMemory]
"""A step's memory at a batch."""


def at_any_batch(step: Step, first: int, second: int) -> Step:
    """What gives a step's memory at a batch, asking for that of two alone where these tell.

    Where the two go through other events (a network that cuts large inputs, a loss that goes
    through parts), every batch is asked for.

    Args:
        step: a step's memory at a batch, by going through it.
        first: one of the two.
        second: the other, larger.
    """
    low, high = step(first), step(second)
    if _course(low) != _course(high):
        return step
    return _Line(low, high, first, second)


@dataclass(frozen=True)
class _Line:
    low: StepMemory
    high: StepMemory
    first: int
    second: int

    def __call__(self, batch: int) -> StepMemory:
        pairs = zip(self.low.events, self.high.events, strict=True)
        events = tuple(
            (number, size if size is None or other is None else self._at(batch, size, other))
            for (number, size), (_, other) in pairs
        )
        return StepMemory(
            parameters=self.low.parameters,
            gradients=self.low.gradients,
            optimizer=self.low.optimizer,
            inputs=self._at(batch, self.low.inputs, self.high.inputs),
            activations=self._at(batch, self.low.activations, self.high.activations),
            peak=peak_of(events, self.low.steady),
            events=events,
            steady=self.low.steady,
        )

    def _at(self, batch: int, low: int, high: int) -> int:
        return low + (high - low) * (batch - self.first) // (self.second - self.first)


def peak_of(events: tuple[Event, ...], steady: int = 0) -> int:
    """Most bytes held at once from an event on."""
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


def _course(step: StepMemory) -> list[tuple[int, bool]]:
    return [(number, size is None) for number, size in step.events]
