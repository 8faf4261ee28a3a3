"""Cross-entropy with classes weighed by their effective number of training items.

Cui, Jia, Lin, Song and Belongie, "Class-Balanced Loss Based on Effective Number of Samples",
CVPR 2019, arXiv:1901.05555.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput


class ClassBalancedHead(nn.Module):
    """Class-balanced cross-entropy of a linear classifier with a bias.

    The weights come with the training split, not with a checkpoint: they are in no state dict.
    """

    class_weights: Tensor

    def __init__(self, embedding_size: int, counts: Sequence[int], *, beta: float) -> None:
        """Builds the classifier of as many classes as there are counts."""
        super().__init__()
        self.classifier = nn.Linear(embedding_size, len(counts))
        weights = class_weights(counts, beta=beta).to(torch.get_default_dtype())
        self.register_buffer("class_weights", weights, persistent=False)

    def logits(self, embeddings: Tensor) -> Tensor:
        """Maps `[batch, embedding_size]` to `[batch, classes]`."""
        logits: Tensor = self.classifier(embeddings.to(self.classifier.weight.dtype))
        return logits

    def class_centres(self) -> Tensor:
        """Direction of each class, `[classes, embedding_size]`."""
        return self.classifier.weight

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss."""
        logits = self.logits(embeddings)
        precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return LossOutput(mixed_mean(lambda labels: self._losses(precise, labels), batch), logits)

    def _losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        # Not torch's own weights: its mean divides by those of the batch, and a batch of one rare
        # class would weigh no more than any other.
        losses = functional.cross_entropy(logits, labels, reduction="none")
        return self.class_weights[labels] * losses


def class_weights(counts: Sequence[int], *, beta: float) -> Tensor:
    """Weight of each class, (1 - beta) / (1 - beta ** n), scaled to sum to the number of classes.

    The scale is the paper's (section 4): losses keep about the size that they have unweighed.

    Args:
        counts: training items of each class, n.
        beta: 0 to under 1.

    Returns:
        `[classes]`, float64.
    """
    items = torch.tensor(counts, dtype=torch.float64)
    # 1 - beta ** n, exact also where beta is near 1.
    effective = -torch.expm1(items * math.log(beta)) if beta else torch.ones_like(items)
    return len(items) * (1 / effective) / (1 / effective).sum()
