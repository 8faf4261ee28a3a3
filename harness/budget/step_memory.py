"""The memory of one step, part by part, and what a GPU's allocator makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from harness.budget.caching import CachingAllocator, DoesNotFit

Event = tuple[int, int | None]


@dataclass(frozen=True)
class StepMemory:
    """What a step holds, in bytes of tensors.

    Attributes:
        parameters: parameters and buffers.
        gradients: of the parameters, when all of them are there.
        optimizer: its state.
        inputs: the network's input and the labels.
        activations: what the forward pass keeps for the backward pass, at its largest.
        peak: most bytes held at once.
        events: every storage in the order of coming and going (see `StorageTrace`).
        steady: the event with which the step begins that stands for all later ones.
    """

    parameters: int
    peak: int
    gradients: int = 0
    optimizer: int = 0
    inputs: int = 0
    activations: int = 0
    events: tuple[Event, ...] = field(default=(), repr=False)
    steady: int = 0

    @property
    def temporaries(self) -> int:
        """What the peak holds beside what is told apart; gradients come as activations go."""
        known = self.parameters + self.optimizer + self.inputs + self.activations
        return max(0, self.peak - known)

    def reserved(self, limit: int | None = None) -> int | None:
        """Bytes that a GPU's allocator takes from the device for it, rounding and holes included.

        Args:
            limit: bytes that it may take; None for as many as it likes.

        Returns:
            The most that is reserved from the steady step on; None where the limit is too low.
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


def in_order(events: Sequence[Event], steady: int = 0) -> tuple[Event, ...]:
    """The same events, with storages freed together freed in the order in which they came.

    Autocast forgets its copies of weights in the order of their addresses, which is another in
    every pass; what is free after all of them is the same.

    Args:
        events: of a step.
        steady: the event that stays where it is, and those before it before it.
    """
    came = {number: place for place, (number, size) in enumerate(events) if size is not None}
    return tuple(
        event
        for part in (events[:steady], events[steady:])
        for _, together in groupby(part, lambda event: event[1] is None)
        for event in sorted(together, key=lambda event: came[event[0]])
    )
