"""A linear classifier under cross-entropy."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput


class SoftmaxHead(nn.Module):
    """Cross-entropy of a linear classifier with a bias."""

    def __init__(self, embedding_size: int, classes: int, *, label_smoothing: float) -> None:
        """Builds the classifier; `label_smoothing` is the share spread over all classes."""
        super().__init__()
        self.classifier = nn.Linear(embedding_size, classes)
        self.label_smoothing = label_smoothing

    def logits(self, embeddings: Tensor) -> Tensor:
        """Maps `[batch, embedding_size]` to `[batch, classes]`."""
        logits: Tensor = self.classifier(embeddings)
        return logits

    def class_centres(self) -> Tensor:
        """Direction of each class, `[classes, embedding_size]`."""
        return self.classifier.weight

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss."""
        logits = self.logits(embeddings)
        loss = mixed_mean(lambda labels: self._losses(logits, labels), batch)
        return LossOutput(loss, logits)

    def _losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(
            logits, labels, reduction="none", label_smoothing=self.label_smoothing
        )
