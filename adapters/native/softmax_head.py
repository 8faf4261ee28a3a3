"""A linear classifier under cross-entropy."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from adapters.native.linear_head import LinearHead


class SoftmaxHead(LinearHead):
    """Cross-entropy of a linear classifier with a bias."""

    def __init__(self, embedding_size: int, classes: int, *, label_smoothing: float) -> None:
        """Builds the classifier; `label_smoothing` is the share spread over all classes."""
        super().__init__(embedding_size, classes)
        self.label_smoothing = label_smoothing

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of each example, `[batch]`."""
        return functional.cross_entropy(
            logits, labels, reduction="none", label_smoothing=self.label_smoothing
        )
