"""A linear classifier, and what every loss on its logits has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput


class LinearClassifier(nn.Module):
    """A linear classifier with a bias."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        """Builds the classifier."""
        super().__init__()
        self.classifier = nn.Linear(embedding_size, classes)

    def logits(self, embeddings: Tensor) -> Tensor:
        """Maps `[batch, embedding_size]` to `[batch, classes]`."""
        logits: Tensor = self.classifier(embeddings.to(self.classifier.weight.dtype))
        return logits

    def class_centres(self) -> Tensor:
        """Direction of each class, `[classes, embedding_size]`."""
        return self.classifier.weight


class LinearHead(LinearClassifier, ABC):
    """A linear classifier under a loss that is a mean over examples; a subclass says whose."""

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss."""
        logits = self.logits(embeddings)
        precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return LossOutput(mixed_mean(lambda labels: self.losses(precise, labels), batch), logits)

    @abstractmethod
    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each example, `[batch]`, from logits `[batch, classes]` of float32 or more."""
