"""Cross-entropy that looks away from what is already decided.

Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv:1708.02002, equation 4,
with the probability of a softmax in place of a sigmoid's.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from adapters.native.linear_head import LinearHead


class FocalHead(LinearHead):
    """Focal cross-entropy of a linear classifier with a bias."""

    def __init__(self, embedding_size: int, classes: int, *, gamma: float) -> None:
        """Builds the classifier; see `focal_losses` for `gamma`."""
        super().__init__(embedding_size, classes)
        self.gamma = gamma

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Focal loss of each example, `[batch]`."""
        return focal_losses(logits, labels, self.gamma)


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
