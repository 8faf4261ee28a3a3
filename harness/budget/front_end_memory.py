"""Memory of a step's features where the device makes them within the step, as a GPU does."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from harness.budget.step_memory import Event
from harness.budget.tracing import StorageTrace
from harness.feeding.effects import mask_features
from harness.feeding.front_end import front_end
from harness.train.system import System

RAW = 0
"""Number of the raw items among the storages of a front end: they come first."""


@dataclass(frozen=True)
class FrontEndMemory:
    """What a front end takes and gives back to make a batch of features of raw items.

    Attributes:
        events: its storages in the order of coming and going, the raw items the first of them;
            the features alone stay.
        result: number of the features' storage.
        shape, stride: of the features.
    """

    events: tuple[Event, ...] = field(repr=False)
    result: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def replay(self, trace: StorageTrace, like: Tensor, *, keeps_raw: bool = False) -> Tensor:
        """Let a trace count the storages once more, and return the features.

        Args:
            trace: is active.
            like: features of the same shape, which the trace did not see.
            keeps_raw: whether the raw items stay too.
        """
        numbers: dict[int, int] = {}
        features = like
        for number, size in self.events:
            if number == self.result:
                features = like.new_empty_strided(self.shape, self.stride)
            elif size is not None:
                numbers[number] = len(trace.events)
                trace.count(numbers[number], size)
            elif not (keeps_raw and number == RAW):
                trace.count(numbers[number], None)
        return features


def trace_front_end(system: System, raw: tuple[int, ...]) -> FrontEndMemory:
    """Trace a system's front end over tensors that are on no device, in the system's mode.

    Args:
        system: in training or evaluation mode.
        raw: shape of the raw items, `[batch, ...]`.
    """
    module = front_end(system.declared).to("meta").train(system.training)
    with StorageTrace() as trace, torch.no_grad():
        features = _features(system, module, torch.empty(raw, device="meta"))
        (result,) = trace.numbers([features])
        events = tuple(trace.events)
    return FrontEndMemory(events, result, tuple(features.shape), features.stride())


def _features(system: System, module: nn.Module, raw: Tensor) -> Tensor:
    """Return features, masked in training mode (see `System.inputs`)."""
    features: Tensor = module(raw)
    if not system.training:
        return features
    return mask_features(features, system.declared, system.augment)
