"""A cosine classifier that decides of every class by itself: the example's own, or not.

Wen et al., "SphereFace2: Binary Classification is All You Need for Deep Face Recognition",
ICLR 2022, arXiv:2108.01513; the margins as Han et al. put them for speakers, "Exploring Binary
Classification Loss for Speaker Verification", ICASSP 2023, arXiv:2307.08205.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.cosines import cosines, margined, narrowed
from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput


class SphereFace2Head(nn.Module):
    """Binary cross-entropy of each class against all examples of the others.

    With s the similarity g(cos(theta)) after its margin, r the scale and b a bias that all
    classes share, an example costs lambda * log(1 + exp(-r * s_y - b)) for its own class y and
    (1 - lambda) * log(1 + exp(r * s_j + b)) for every other class j. Nothing ties the classes
    together as the denominator of a softmax does.

    Attributes:
        scale: factor on the similarities.
        margin: see `margin_type`; a schedule may set it before a step.
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
        """Builds the classifier; `balance` is lambda, `exponent` the t of `adjusted`.

        Type `C` moves the similarity by the margin, type `A` the angle: against the example in
        its own class, towards it in all others.
        """
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, embedding_size))
        nn.init.xavier_uniform_(self.weight)
        self.bias = nn.Parameter(torch.zeros(()))
        self.scale = scale
        self.margin = margin
        self.balance = balance
        self.exponent = exponent
        self.margin_type = margin_type

    def logits(self, embeddings: Tensor) -> Tensor:
        """Binary logits without a margin: `[batch, embedding_size]` to `[batch, classes]`."""
        return self._scaled(adjusted(cosines(embeddings, self.weight), self.exponent))

    def class_centres(self) -> Tensor:
        """Direction of each class, `[classes, embedding_size]`."""
        return self.weight

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss."""
        cosine = cosines(embeddings, self.weight)
        loss = mixed_mean(lambda labels: self._losses(cosine, labels), batch)
        return LossOutput(loss, self._scaled(adjusted(cosine, self.exponent)))

    def _losses(self, cosine: Tensor, labels: Tensor) -> Tensor:
        column = labels.unsqueeze(1)
        own = -functional.logsigmoid(self._scaled(self._own(cosine.gather(1, column))))
        others = -functional.logsigmoid(-self._scaled(self._other(cosine)))
        apart = others.scatter(1, column, 0.0).sum(dim=1)
        return self.balance * own.squeeze(1) + (1 - self.balance) * apart

    def _own(self, cosine: Tensor) -> Tensor:
        if self.margin_type == "A":
            return adjusted(margined(cosine, self.margin), self.exponent)
        return adjusted(cosine, self.exponent) - self.margin

    def _other(self, cosine: Tensor) -> Tensor:
        if self.margin_type == "A":
            return adjusted(narrowed(cosine, self.margin), self.exponent)
        return adjusted(cosine, self.exponent) + self.margin

    def _scaled(self, similarity: Tensor) -> Tensor:
        return self.scale * similarity + self.bias


def adjusted(cosine: Tensor, exponent: float) -> Tensor:
    """Spread cosines over -1..1: g(z) = 2 * ((z + 1) / 2) ** t - 1 ("similarity adjustment").

    Cosines of unlike voices lie near 0, where g is far under 0. Under -1, where rounding and a
    margin may put a cosine and a power has no value, g keeps its least value.
    """
    return 2 * ((cosine + 1) / 2).clamp(min=0).pow(exponent) - 1
