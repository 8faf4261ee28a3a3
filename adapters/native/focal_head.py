"""Cross-entropy that looks away from what is already decided.

Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv:1708.02002, equation 4,
with the probability of a softmax in place of a sigmoid's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput


class FocalHead(nn.Module):
    """Focal cross-entropy of a linear classifier with a bias."""

    def __init__(self, embedding_size: int, classes: int, *, gamma: float) -> None:
        """Builds the classifier; see `focal_losses` for `gamma`."""
        super().__init__()
        self.classifier = nn.Linear(embedding_size, classes)
        self.gamma = gamma

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
        loss = mixed_mean(lambda labels: focal_losses(precise, labels, self.gamma), batch)
        return LossOutput(loss, logits)


def focal_losses(logits: Tensor, labels: Tensor, gamma: float) -> Tensor:
    """Loss of each example, -(1 - p_y) ** gamma * log(p_y), `[batch]`.

    1 - p_y is taken by its logarithm, the share of all other classes: where p_y rounds to 1, a
    power of the difference under 1 would have an infinite gradient.

    Args:
        logits: `[batch, classes]`, two classes or more.
        labels: `[batch]`.
        gamma: how fast what is decided loses its weight; 0 is cross-entropy.
    """
    others = logits.scatter(1, labels.unsqueeze(1), -torch.inf)
    undecided = others.logsumexp(dim=1) - logits.logsumexp(dim=1)
    return (gamma * undecided).exp() * functional.cross_entropy(logits, labels, reduction="none")
