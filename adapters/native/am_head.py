"""A cosine classifier with an additive margin on the cosine.

Wang et al., "Additive Margin Softmax for Face Verification", 2018, arXiv:1801.05599, equation 6.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.cosines import cosines
from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput


class AmHead(nn.Module):
    """Cross-entropy of scaled cosines, the true class's made smaller by a margin.

    Attributes:
        scale: factor on the cosines.
        margin: taken off the true class's cosine; a schedule may set it before a step.
    """

    def __init__(self, embedding_size: int, classes: int, *, scale: float, margin: float) -> None:
        """Builds the classifier."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, embedding_size))
        nn.init.xavier_uniform_(self.weight)
        self.scale = scale
        self.margin = margin

    def logits(self, embeddings: Tensor) -> Tensor:
        """Scaled cosines without a margin: `[batch, embedding_size]` to `[batch, classes]`."""
        return self.scale * cosines(embeddings, self.weight)

    def class_centres(self) -> Tensor:
        """Direction of each class, `[classes, embedding_size]`."""
        return self.weight

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss."""
        logits = self.logits(embeddings)
        loss = mixed_mean(lambda labels: self._losses(logits, labels), batch)
        return LossOutput(loss, logits)

    def _losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        column = labels.unsqueeze(1)
        target = logits.gather(1, column) - self.scale * self.margin
        return functional.cross_entropy(logits.scatter(1, column, target), labels, reduction="none")
