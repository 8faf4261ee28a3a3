"""A cosine classifier that decides each class by itself: the example's own, or not.

Wen et al., "SphereFace2: Binary Classification is All You Need for Deep Face Recognition",
ICLR 2022, arXiv:2108.01513; the margins as Han et al. put them for speakers, "Exploring Binary
Classification Loss for Speaker Verification", ICASSP 2023, arXiv:2307.08205.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.margin_heads import CosineHead, narrow_angle, widen_angle


class SphereFace2Head(CosineHead):
    """Binary cross-entropy of each class against all examples of the others.

    With s the similarity g(cos(theta)) after its margin, r the scale and b a bias that all
    classes share, an example costs lambda * log(1 + exp(-r * s_y - b)) for its own class y and
    (1 - lambda) * log(1 + exp(r * s_j + b)) for every other class j. Nothing ties the classes
    together as the denominator of a softmax does.
    """

    def __init__(
        self,
        embedding_size: int,
        classes: int,
        *,
        scale: float,
        margin: float,
        balance: float,
        exponent: float,
        margin_type: Literal["C", "A"],
    ) -> None:
        """Build the classifier; `balance` is lambda, `exponent` the t of `adjust_similarity`.

        Type `C` moves the similarity by the margin, type `A` the angle: against the example in
        its own class, towards it in all others.
        """
        super().__init__(embedding_size, classes, scale=scale, margin=margin)
        self.bias = nn.Parameter(torch.zeros(()))
        self.balance, self.exponent, self.margin_type = balance, exponent, margin_type

    def plain_logits(self, cosine: Tensor) -> Tensor:
        """Map cosines to binary logits without a margin."""
        return self._scale(adjust_similarity(cosine, self.exponent))

    def losses(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Return the sum of the binary losses of each example, `[batch]`."""
        column = labels.unsqueeze(1)
        own, other = cosine.gather(1, column), cosine
        if self.margin_type == "A":
            own = adjust_similarity(widen_angle(own, self.margin), self.exponent)
            other = adjust_similarity(narrow_angle(other, self.margin), self.exponent)
        else:
            own = adjust_similarity(own, self.exponent) - self.margin
            other = adjust_similarity(other, self.exponent) + self.margin
        own = -functional.logsigmoid(self._scale(own))
        others = -functional.logsigmoid(-self._scale(other))
        apart = others.scatter(1, column, 0.0).sum(dim=1)
        return self.balance * own.squeeze(1) + (1 - self.balance) * apart

    def _scale(self, similarity: Tensor) -> Tensor:
        return self.scale * similarity + self.bias


def adjust_similarity(cosine: Tensor, exponent: float) -> Tensor:
    """Spread cosines over -1..1: g(z) = 2 * ((z + 1) / 2) ** t - 1 ("similarity adjustment").

    Cosines of unlike voices lie near 0, where g is far under 0. Under -1, to which rounding and a
    margin may bring a cosine and a power has no value, g keeps its least value.
    """
    return 2 * ((cosine + 1) / 2).clamp(min=0).pow(exponent) - 1
