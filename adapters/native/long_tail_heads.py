"""Heads for classes of very different sizes: shifted logits, and margins by a class's size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.linear_heads import LinearHead, class_weights, mixup_mean
from adapters.native.margin_heads import cosines
from harness.adapter import Batch, LossOutput


class ShiftedLogitsHead(LinearHead):
    """Cross-entropy of a linear classifier whose logits are shifted in training alone.

    Menon et al., "Long-tail Learning via Logit Adjustment", ICLR 2021, arXiv:2007.07314, equation
    10: the shift of a class is tau * log of its share of the training items. Ren et al., "Balanced
    Meta-Softmax for Long-Tailed Visual Recognition", NeurIPS 2020, arXiv:2007.10740, equation 3:
    the log of its number of items. The shifts come with the training split, not with a checkpoint:
    they are in no state dict. Classes are decided by the logits without them.
    """

    shift: Tensor

    def __init__(self, embedding_size: int, shift: Tensor) -> None:
        """Build the classifier of as many classes as there are shifts, `[classes]`."""
        super().__init__(embedding_size, len(shift))
        self.register_buffer("shift", shift.to(torch.get_default_dtype()), persistent=False)

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of each example's shifted logits, `[batch]`."""
        return functional.cross_entropy(logits + self.shift, labels, reduction="none")


class LdamHead(nn.Module):
    """Label-distribution-aware margins on scaled cosines, classes re-weighed late (LDAM-DRW).

    Cao, Wei, Gaidon, Arechiga and Ma, "Learning Imbalanced Datasets with Label-Distribution-Aware
    Margin Loss", NeurIPS 2019, arXiv:1906.07413. The margins (equation 13) are C / n ** (1/4) for a
    class of n training items, with C such that the largest is `margin`; they are taken off the
    cosine of the true class before the scale, as the authors' code does (section 3.2 asks for
    normalised weights and embeddings). Margins and class weights come with the training split: they
    are in no state dict.

    Attributes:
        reweighting: how far the class weights are from 1, towards those of the effective number of
            items: 0 for none, 1 for all. A recipe's schedule that goes from 0 to 1 late defers it.
    """

    margins: Tensor
    class_weights: Tensor

    def __init__(
        self,
        embedding_size: int,
        counts: Sequence[int],
        *,
        margin: float,
        scale: float,
        beta: float,
        reweighting: float,
    ) -> None:
        """Build the classifier of as many classes as there are counts."""
        super().__init__()
        self.scale, self.reweighting = scale, reweighting
        self.weight = nn.Parameter(torch.empty(len(counts), embedding_size))
        nn.init.xavier_normal_(self.weight)
        usual = torch.get_default_dtype()
        margins = ldam_margins(counts, largest=margin).to(usual)
        weights = class_weights(counts, beta=beta).to(usual)
        self.register_buffer("margins", margins, persistent=False)
        self.register_buffer("class_weights", weights, persistent=False)

    def logits(self, embeddings: Tensor) -> Tensor:
        """Map `[batch, embedding_size]` to scaled cosines `[batch, classes]`."""
        return self.scale * cosines(embeddings, self.weight)

    def class_centres(self) -> Tensor:
        """Return the direction of each class, `[classes, embedding_size]`."""
        return self.weight

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss."""
        logits = self.logits(embeddings)
        precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
        weights = 1 + self.reweighting * (self.class_weights - 1)

        def losses(labels: Tensor) -> Tensor:
            off = functional.one_hot(labels, len(weights)) * self.margins
            plain = functional.cross_entropy(precise - self.scale * off, labels, reduction="none")
            return weights[labels] * plain

        return LossOutput(mixup_mean(losses, batch), logits)


def ldam_margins(counts: Sequence[int], *, largest: float) -> Tensor:
    """Return the margin of each class, `[classes]`, float64, the rarest class having the largest.

    Args:
        counts: training items of each class.
        largest: of the margins.
    """
    raw = torch.tensor(counts, dtype=torch.float64) ** -0.25
    return largest * raw / raw.max()
