"""An exponential moving average of a network's weights, beside those that are trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class MovingAverage:
    """The average of weights and running statistics over the steps of a training.

    After step n, average = d * average + (1 - d) * weights with d = min(decay, (1 + n) / (10 + n)):
    the first weights, which are random, are soon forgotten (as TensorFlow's
    `ExponentialMovingAverage` does it with `num_updates`). Whole numbers are copied.

    Args:
        module: whose weights are averaged.
        decay: from 0 to under 1.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._decay, self._steps = decay, 0
        self.values = _copied(module)

    def add(self, module: nn.Module) -> None:
        """Take the weights after a step into the average."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            for name, value in module.state_dict().items():
                own = self.values[name]
                if own.is_floating_point():
                    own.lerp_(value, 1 - decay)
                else:
                    own.copy_(value)

    @contextmanager
    def in_place(self, module: nn.Module) -> Iterator[None]:
        """Give a module the averaged weights for as long as the context lasts."""
        trained = _copied(module)
        module.load_state_dict(self.values)
        try:
            yield
        finally:
            module.load_state_dict(trained)

    @property
    def state(self) -> dict[str, Any]:
        """All that a resume point must hold of it."""
        return {"steps": self._steps, "values": self.values}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from the state of a resume point."""
        self._steps = int(state["steps"])
        for name, value in self.values.items():
            value.copy_(state["values"][name])


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
