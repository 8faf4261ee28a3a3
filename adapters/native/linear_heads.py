"""Linear classifiers under losses that are a mean over examples: plain, focal, class-balanced."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.adapter import Batch, LossOutput


def mixup_mean(loss_of: Callable[[Tensor], Tensor], batch: Batch) -> Tensor:
    """Average a loss over a batch, weighing both labels of mixed examples.

    Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018, arXiv:1710.09412.

    Args:
        loss_of: labels `[batch]` -> loss of each example `[batch]`.
        batch: labels, with the second label and the first one's share if examples are mixed.

    Returns:
        A scalar.
    """
    losses = loss_of(batch.labels)
    if batch.mix_labels is None or batch.mix_weights is None:
        return losses.mean()
    share = batch.mix_weights.to(losses.dtype)
    return (share * losses + (1 - share) * loss_of(batch.mix_labels)).mean()


class LinearClassifier(nn.Module):
    """A linear classifier with a bias."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        """Build the classifier."""
        super().__init__()
        self.classifier = nn.Linear(embedding_size, classes)

    def logits(self, embeddings: Tensor) -> Tensor:
        """Map `[batch, embedding_size]` to `[batch, classes]`."""
        logits: Tensor = self.classifier(embeddings.to(self.classifier.weight.dtype))
        return logits

    def class_centres(self) -> Tensor:
        """Return the direction of each class, `[classes, embedding_size]`."""
        return self.classifier.weight


class LinearHead(LinearClassifier, ABC):
    """A linear classifier under a loss that is a mean over examples."""

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss."""
        logits = self.logits(embeddings)
        precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return LossOutput(mixup_mean(lambda labels: self.losses(precise, labels), batch), logits)

    @abstractmethod
    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of each example, `[batch]`, from logits of float32 or more."""


class SoftmaxHead(LinearHead):
    """Cross-entropy of a linear classifier with a bias."""

    def __init__(self, embedding_size: int, classes: int, *, label_smoothing: float) -> None:
        """Build the classifier; `label_smoothing` is the share spread over all classes."""
        super().__init__(embedding_size, classes)
        self.label_smoothing = label_smoothing

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of each example, `[batch]`."""
        return functional.cross_entropy(
            logits, labels, reduction="none", label_smoothing=self.label_smoothing
        )


class FocalHead(LinearHead):
    """Focal cross-entropy of a linear classifier with a bias.

    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv:1708.02002, equation 4,
    with the probability of a softmax in place of a sigmoid's.
    """

    def __init__(self, embedding_size: int, classes: int, *, gamma: float) -> None:
        """Build the classifier; see `focal_losses` for `gamma`."""
        super().__init__(embedding_size, classes)
        self.gamma = gamma

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the focal loss of each example, `[batch]`."""
        return focal_losses(logits, labels, self.gamma)


def focal_losses(logits: Tensor, labels: Tensor, gamma: float) -> Tensor:
    """Return the loss of each example, -(1 - p_y) ** gamma * log(p_y), `[batch]`.

    1 - p_y is taken by its logarithm, the share of all other classes: if p_y rounds to 1, a power
    of the difference under 1 would have an infinite gradient.

    Args:
        logits: `[batch, classes]`, two classes or more.
        labels: `[batch]`.
        gamma: how fast an example loses its weight as its class becomes sure; 0 is cross-entropy.
    """
    others = logits.scatter(1, labels.unsqueeze(1), -torch.inf)
    undecided = others.logsumexp(dim=1) - logits.logsumexp(dim=1)
    return (gamma * undecided).exp() * functional.cross_entropy(logits, labels, reduction="none")


class ClassBalancedHead(LinearHead):
    """Class-balanced cross-entropy of a linear classifier with a bias.

    Classes are weighed by their effective number of training items: Cui, Jia, Lin, Song and
    Belongie, "Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019,
    arXiv:1901.05555. The weights come with the training split, not with a checkpoint: they are in
    no state dict.
    """

    class_weights: Tensor

    def __init__(self, embedding_size: int, counts: Sequence[int], *, beta: float) -> None:
        """Build the classifier of as many classes as there are counts."""
        super().__init__(embedding_size, len(counts))
        weights = class_weights(counts, beta=beta).to(torch.get_default_dtype())
        self.register_buffer("class_weights", weights, persistent=False)

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the weighed cross-entropy of each example, `[batch]`."""
        # Not torch's own weights: its mean divides by those of the batch, and a batch of one rare
        # class would weigh no more than any other.
        losses = functional.cross_entropy(logits, labels, reduction="none")
        return self.class_weights[labels] * losses


def class_weights(counts: Sequence[int], *, beta: float) -> Tensor:
    """Return class weights (1 - beta) / (1 - beta ** n), scaled to sum to the number of classes.

    The scale is the paper's (section 4): losses keep about the size that they have unweighed.

    Args:
        counts: training items of each class, n.
        beta: 0 to under 1.

    Returns:
        `[classes]`, float64.
    """
    items = torch.tensor(counts, dtype=torch.float64)
    # 1 - beta ** n, exact also if beta is near 1.
    effective = -torch.expm1(items * math.log(beta)) if beta else torch.ones_like(items)
    return len(items) * (1 / effective) / (1 / effective).sum()
