"""Cross-entropy of scaled cosines under a margin that grows with the length of an embedding.

Kim, Jain and Liu, "AdaFace: Quality Adaptive Margin for Face Recognition", CVPR 2022,
arXiv:2204.00964. Of a length z, standardised to q in -1..1, the true class's cosine becomes
cos(theta - m q) - m (q + 1).
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from adapters.native.linear_heads import mixup_mean
from adapters.native.margin_heads import CosineHead
from harness.adapter import Batch, LossOutput

_EDGE = 1e-3
"""Angles keep so far from 0 and pi, cosines from 1 and -1, and a deviation of lengths from 0."""


class AdaFaceHead(CosineHead):
    """A cosine classifier: easy margins for short embeddings, hard ones for long.

    A short embedding stands for an example of low quality. The mean and the deviation of lengths
    start with those of the first batch.
    """

    norm_mean: Tensor
    norm_deviation: Tensor
    norm_weight: Tensor

    def __init__(
        self,
        embedding_size: int,
        classes: int,
        *,
        scale: float,
        margin: float,
        concentration: float,
        momentum: float,
    ) -> None:
        """Build the classifier."""
        super().__init__(embedding_size, classes, scale=scale, margin=margin)
        self.concentration, self.momentum = concentration, momentum
        for name in ("norm_mean", "norm_deviation", "norm_weight"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss."""
        cosine, quality = self.cosines(embeddings), self.quality(embeddings.detach())
        loss = mixup_mean(partial(self._losses, cosine, quality), batch)
        return LossOutput(loss, self.plain_logits(cosine))

    @torch.no_grad()
    def quality(self, embeddings: Tensor) -> Tensor:
        """Return the standardised length of each embedding, -1 to 1, `[batch]`.

        In training the batch moves the mean and the deviation that it is held against.
        """
        norms = embeddings.to(self.weight.dtype).norm(dim=1)
        now = norms.mean(), norms.std(correction=min(1, len(norms) - 1))
        kept = (self.norm_mean, self.norm_deviation)
        if self.training:
            for value, new in zip((*kept, self.norm_weight), (*now, 1.0), strict=True):
                value.mul_(self.momentum).add_((1 - self.momentum) * new)
        # Divided by the weight of the batches so far, so that the start of 0 has none.
        begun = self.norm_weight > 0
        mean, deviation = (
            torch.where(begun, value / self.norm_weight, new)
            for value, new in zip(kept, now, strict=True)
        )
        quality: Tensor = self.concentration * (norms - mean) / (deviation + _EDGE)
        return quality.clamp(-1, 1)

    def _losses(self, cosine: Tensor, quality: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of each example under its margin, `[batch]`."""
        column, share = labels.unsqueeze(1), quality.unsqueeze(1)
        angle = cosine.gather(1, column).clamp(_EDGE - 1, 1 - _EDGE).acos()
        widened = (angle - self.margin * share).clamp(_EDGE, math.pi - _EDGE).cos()
        target = widened - self.margin * (1 + share)
        logits = self.scale * cosine.scatter(1, column, target)
        return functional.cross_entropy(logits, labels, reduction="none")
