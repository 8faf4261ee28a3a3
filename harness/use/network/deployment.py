"""A network as another runtime gets it: raw items or features in, outputs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.datasets.lengths import samples_for
from harness.feeding.evaluation_batches import whole_batches
from harness.feeding.front_end import raw_tensor
from harness.tasks.task import Output
from harness.train.system import MOST_NUMBERS, System
from harness.use.given_items import GivenItems
from harness.use.network.linear_front_end import linear_front_end

Runtime = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""An exported network: a batch of its input -> its outputs."""

EXAMPLE_FRAMES = 500
"""Frames of the example that is traced: each pooling by stretches then has several of them."""


class Deployment(nn.Module):
    """A system without what only training needs.

    Args:
        system: in evaluation mode.
        output: embeddings, or logits of its head.
        shape: of one raw item, if the front end is to be within; None leaves it outside.
    """

    def __init__(self, system: System, output: Output, shape: tuple[int, ...] | None) -> None:
        super().__init__()
        self.front_end = (
            nn.Identity() if shape is None else linear_front_end(system.front_end, shape)
        )
        self.trunk = system.trunk
        self.head: Any = system.head if output == "logits" else None
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, given: Tensor) -> Tensor:
        """Map raw items or features to embeddings `[batch, size]` or logits `[batch, classes]`."""
        embedding: Tensor = self.trunk(self.front_end(given))
        if self.head is None:
            return embedding
        logits: Tensor = self.head.logits(embedding)
        return logits


def check_batches(system: System, items: GivenItems) -> list[Tensor]:
    """Return raw batches to hold an export against the network: each item, and several at once."""
    alone = [raw for _, raw in whole_batches(items, system.declared, MOST_NUMBERS)]
    if system.declared.kind != "audio":
        return alone
    shortest = min(items.length(place) for place in range(len(items)))
    return [*alone, raw_tensor([content[:shortest] for content in items.contents])]


def example_of(system: System, batches: list[Tensor]) -> Tensor:
    """Return an example of raw items for a tracer: two of them, that no size of theirs is 1."""
    if system.declared.kind == "audio":
        samples = samples_for(system.declared, EXAMPLE_FRAMES)
        return torch.linspace(-0.1, 0.1, 2 * samples).reshape(2, samples)
    return batches[0][:1].expand(2, *batches[0].shape[1:]).clone()


def reference(system: System, output: Output, raw: Tensor) -> Tensor:
    """Return what the system itself gives for a raw batch."""
    with torch.inference_mode():
        return system.output(raw, output)


def comparable(outputs: Tensor, output: Output) -> Tensor:
    """Return outputs as they are used: embeddings of length 1, or probabilities."""
    if output == "embedding":
        return nn.functional.normalize(outputs.double())
    return outputs.double().softmax(dim=-1)
