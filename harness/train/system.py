"""A system: front end, trunk and head, as one module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.adapter import Batch, Input, LossAdapter, ModelAdapter
from harness.config.schema import Augment
from harness.data.augment import masked
from harness.data.batches import whole_batches
from harness.data.front_end import front_end
from harness.data.subset import Subset

Advance = Callable[[int], None]

MOST_NUMBERS = 16 * 16_000 * 4
"""Numbers in an evaluation batch: 64 seconds of audio, which keeps activations small."""


class System(nn.Module):
    """What is trained and judged.

    Args:
        model: the model's adapter.
        loss: the loss's adapter; None where only embeddings are wanted.
        classes: number of training labels; the head has more, where speeds make classes.
        augment: what is done to training inputs.
    """

    def __init__(
        self,
        model: ModelAdapter,
        loss: LossAdapter | None,
        classes: int,
        augment: Augment | None = None,
    ) -> None:
        super().__init__()
        self.declared: Input = model.inputs()
        self.augment = augment or Augment()
        self.front_end = front_end(self.declared)
        self.trunk = model.build()
        rows = classes * self.augment.class_factor
        self.head = loss.build(model.embedding_size, rows) if loss else None

    def inputs(self, raw: Tensor) -> Tensor:
        """Network input of a raw batch, masked in training mode; its sound is as it is."""
        with torch.no_grad(), torch.autocast(raw.device.type, enabled=False):
            features: Tensor = self.front_end(raw)
            return masked(features, self.declared, self.augment) if self.training else features

    def forward(
        self, raw: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor | None, Mapping[str, float]]:
        """Loss, logits and statistics of a labelled raw batch."""
        return self.learn(self.inputs(raw), labels)

    def learn(
        self, inputs: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor | None, Mapping[str, float]]:
        """Loss, logits and statistics of network inputs that were made before."""
        output = self._head(self.trunk(inputs), Batch(labels))
        return output.loss, output.logits, output.statistics

    def output(self, raw: Tensor, kind: Literal["embedding", "logits"]) -> Tensor:
        """Embeddings `[batch, size]` or logits `[batch, classes]` with no label known."""
        embeddings: Tensor = self.trunk(self.inputs(raw))
        return embeddings if kind == "embedding" else self._head.logits(embeddings)

    @property
    def _head(self) -> Any:
        if self.head is None:
            raise TypeError("this system was built without a loss; it has no head")
        return self.head


def outputs_of(
    system: System,
    subset: Subset,
    kind: Literal["embedding", "logits"],
    device: torch.device,
    advance: Advance = lambda _: None,
) -> NDArray[np.float32]:
    """Outputs for whole items, in the order of the subset: `[items, size]`.

    Items of one length share a batch, so that no item is padded.
    """
    system.eval()
    found: NDArray[np.float32] | None = None
    with torch.inference_mode():
        for rows, raw in whole_batches(subset, system.declared, MOST_NUMBERS):
            values = system.output(raw.to(device), kind).float().cpu().numpy()
            if found is None:
                found = np.empty((len(subset), values.shape[1]), dtype=np.float32)
            found[rows] = values
            advance(len(rows))
    if found is None:
        raise ValueError("the subset is empty")
    return found
