"""Cross-entropy with examples weighed by how rare their gradient is (GHM-C).

Li, Liu and Wang, "Gradient Harmonized Single-stage Detector", AAAI 2019, arXiv:1811.05181.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from adapters.native.harmonising import Density, Harmonising
from adapters.native.linear_heads import LinearClassifier
from harness.adapter import Batch, LossOutput


class GhmHead(LinearClassifier, Harmonising):
    """Gradient-harmonised softmax cross-entropy of a linear classifier with a bias."""

    def __init__(
        self, embedding_size: int, classes: int, *, bins: int, momentum: float, density: Density
    ) -> None:
        """Build the classifier and an empty density (see `Harmonising`)."""
        super().__init__(embedding_size, classes)
        self.begin_density(bins, momentum, density)

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss.

        Raises:
            ValueError: the batch's labels are mixed.
        """
        refuse_mixed(batch)
        logits = self.logits(embeddings)
        weights, statistics = self.harmonise(gradient_norm(logits.detach(), batch.labels))
        losses = functional.cross_entropy(logits, batch.labels, reduction="none")
        return LossOutput((weights * losses).mean(), logits, statistics)


class GhmSigmoidHead(LinearClassifier, Harmonising):
    """Gradient-harmonised cross-entropy of each class against all others, as the paper has it.

    Each logit of an example is an example of its own, of the gradient norm |p - p*|, and the loss
    is the mean over all of them.
    """

    def __init__(
        self, embedding_size: int, classes: int, *, bins: int, momentum: float, density: Density
    ) -> None:
        """Build the classifier and an empty density (see `Harmonising`)."""
        super().__init__(embedding_size, classes)
        self.begin_density(bins, momentum, density)

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss.

        Raises:
            ValueError: the batch's labels are mixed.
        """
        refuse_mixed(batch)
        logits = self.logits(embeddings)
        precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
        wanted = functional.one_hot(batch.labels, logits.shape[1]).to(precise)
        norm = (precise.detach().sigmoid() - wanted).abs()
        weights, statistics = self.harmonise(norm.flatten())
        loss = functional.binary_cross_entropy_with_logits(
            precise, wanted, weights.view_as(precise)
        )
        return LossOutput(loss, logits, statistics)


def refuse_mixed(batch: Batch) -> None:
    """Refuse a batch of mixed labels.

    Raises:
        ValueError: an example has two.
    """
    if batch.mix_labels is not None:
        raise ValueError("GHM bins an example by its one label: use a recipe that mixes none")


def gradient_norm(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient norm of each example: g = |1 - p_y|, `[batch]`, in 0..1.

    The paper's g = |p - p*| is the gradient of a sigmoid's cross-entropy on its one logit. Of
    softmax cross-entropy the gradient on the logits is p - onehot(y), whose entry at the true
    class y is p_y - 1, and the others, all positive, sum to 1 - p_y. So g is both the true
    entry's size and half of the whole gradient's L1 norm: one number an example, and the
    paper's own with two classes.

    Args:
        logits: `[batch, classes]`.
        labels: `[batch]`.
    """
    precise = torch.promote_types(logits.dtype, torch.float32)
    p = functional.softmax(logits, dim=1, dtype=precise)
    return 1 - p.gather(1, labels.unsqueeze(1)).squeeze(1)
