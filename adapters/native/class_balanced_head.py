"""Cross-entropy with classes weighed by their effective number of training items.

Cui, Jia, Lin, Song and Belongie, "Class-Balanced Loss Based on Effective Number of Samples",
CVPR 2019, arXiv:1901.05555.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from adapters.native.linear_head import LinearHead


class ClassBalancedHead(LinearHead):
    """Class-balanced cross-entropy of a linear classifier with a bias.

    The weights come with the training split, not with a checkpoint: they are in no state dict.
    """

    class_weights: Tensor

    def __init__(self, embedding_size: int, counts: Sequence[int], *, beta: float) -> None:
        """Builds the classifier of as many classes as there are counts."""
        super().__init__(embedding_size, len(counts))
        weights = class_weights(counts, beta=beta).to(torch.get_default_dtype())
        self.register_buffer("class_weights", weights, persistent=False)

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Weighed cross-entropy of each example, `[batch]`."""
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
