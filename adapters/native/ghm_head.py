"""Cross-entropy with examples weighed by how rare their gradient is (GHM-C).

Li, Liu and Wang, "Gradient Harmonized Single-stage Detector", AAAI 2019, arXiv:1811.05181.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from adapters.native.linear_heads import LinearClassifier
from harness.adapter import Batch, LossOutput


class GhmHead(LinearClassifier):
    """Gradient-harmonised cross-entropy of a linear classifier with a bias.

    The running density is a buffer, so that it is saved and resumed with the weights. It moves in
    training only; evaluation looks at its batch through it and leaves it as it is.
    """

    density: Tensor

    def __init__(self, embedding_size: int, classes: int, *, bins: int, momentum: float) -> None:
        """Build the classifier and an empty density of `bins` bins."""
        super().__init__(embedding_size, classes)
        self.momentum = momentum
        self.register_buffer("density", torch.zeros(bins))

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss.

        Raises:
            ValueError: the batch's labels are mixed.
        """
        if batch.mix_labels is not None:
            raise ValueError("GHM bins an example by its one label: use a recipe that mixes none")
        logits = self.logits(embeddings)
        with torch.no_grad():
            place = bin_index(gradient_norm(logits, batch.labels), bins=len(self.density))
            count = torch.bincount(place, minlength=len(self.density))
            share = count.to(self.density) / len(place)
            weights = harmonising_weights(place, share, self._update_density(share))
        losses = functional.cross_entropy(logits, batch.labels, reduction="none")
        means = torch.stack((weights.mean(), share[0], share[-1])).tolist()
        names = ("mean_weight", "easiest_share", "hardest_share")
        statistics = dict(zip(names, means, strict=True))
        return LossOutput((weights * losses).mean(), logits, statistics)

    def vectors(self) -> dict[str, tuple[list[float], list[float]]]:
        """Return the running density of gradient norms, and the weight of each bin's examples.

        A bin that is empty has the weight 0.
        """
        bins = len(self.density)
        edges = [place / bins for place in range(bins + 1)]
        filled = self.density > 0
        weights = torch.where(filled, 1 / (self.density.clamp(min=1e-12) * filled.sum()), 0.0)
        return {
            "gradient_density": (self.density.tolist(), edges),
            "gradient_weight": (weights.tolist(), edges),
        }

    def _update_density(self, share: Tensor) -> Tensor:
        """Return the running density with a batch's shares taken in (the paper's "EMA").

        The first batch's stand alone: an average that starts from nothing would make the first
        weights 1 / (1 - momentum) times too large.
        """
        blend = self.momentum * self.density + (1 - self.momentum) * share
        density = torch.where(self.density.sum() > 0, blend, share)
        if self.training:
            self.density.copy_(density)
        return density


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


def bin_index(norm: Tensor, *, bins: int) -> Tensor:
    """Return the unit region of each gradient norm, of `bins` equal ones; 1 is in the last."""
    return (norm * bins).long().clamp(max=bins - 1)


def harmonising_weights(place: Tensor, share: Tensor, density: Tensor) -> Tensor:
    """Return the weight of each example: N / (GD(g) * number of non-empty bins), `[batch]`.

    The paper's "Unit Region Approximation", where GD is a bin's count over the bin's width and
    1 / width is the number of bins. Counted here are the bins that the batch fills, as in the
    authors' own code: without momentum the mean weight is then exactly 1. Densities are shares
    of N, not counts, so that a batch of another size leaves the weights alone.

    Args:
        place: bin of each example, `[batch]`.
        share: the batch's share in each bin, `[bins]`.
        density: the running share in each bin, `[bins]`, positive in the bins of the batch.
    """
    return 1 / (density[place] * (share > 0).sum())
