"""A cosine classifier with an additive angular margin.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019,
arXiv:1801.07698, equation 3.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput

# Bounds the derivative of the sine, which is infinite where the cosine is 1 or -1.
_LEAST_SQUARED_SINE = 1e-7


class AamHead(nn.Module):
    """Cross-entropy of scaled cosines, the true class's angle made wider by a margin.

    Attributes:
        scale: factor on the cosines.
        margin: in radians; a schedule may set it before a step.
    """

    def __init__(
        self,
        embedding_size: int,
        classes: int,
        *,
        scale: float,
        margin: float,
        easy_margin: bool,
    ) -> None:
        """Builds the classifier; see `margined` for `easy_margin`."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, embedding_size))
        nn.init.xavier_uniform_(self.weight)
        self.scale = scale
        self.margin = margin
        self.easy_margin = easy_margin

    def logits(self, embeddings: Tensor) -> Tensor:
        """Scaled cosines without a margin: `[batch, embedding_size]` to `[batch, classes]`."""
        return self.scale * self._cosines(embeddings)

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss."""
        cosines = self._cosines(embeddings)
        loss = mixed_mean(lambda labels: self._losses(cosines, labels), batch)
        return LossOutput(loss, self.scale * cosines)

    def _cosines(self, embeddings: Tensor) -> Tensor:
        # Autocast would round cosines to 8 bits, which at a scale of 32 the loss can feel.
        with torch.autocast(embeddings.device.type, enabled=False):
            directions = functional.normalize(embeddings.to(self.weight.dtype))
            return functional.linear(directions, functional.normalize(self.weight))

    def _losses(self, cosines: Tensor, labels: Tensor) -> Tensor:
        column = labels.unsqueeze(1)
        target = margined(cosines.gather(1, column), self.margin, easy=self.easy_margin)
        logits = self.scale * cosines.scatter(1, column, target)
        return functional.cross_entropy(logits, labels, reduction="none")


def margined(cosine: Tensor, margin: float, *, easy: bool = False) -> Tensor:
    """Widen an angle, given and returned as its cosine: cos(theta + margin).

    Where theta + margin would pass pi, cos(theta + margin) would rise again and pull the
    embedding away from its class; there the cosine is shifted instead, by the constant that
    meets cos(pi) = -1 at the seam: cos(theta) - (1 - cos(margin)). The result is continuous and
    falls everywhere as the angle grows, and its gradient is finite everywhere, +-1 included.

    Args:
        cosine: cosines of any shape.
        margin: in radians, 0 to pi.
        easy: widen only angles under a right angle, leave others as they are ("easy margin").
    """
    sine = (1 - cosine.square()).clamp(min=_LEAST_SQUARED_SINE).sqrt()
    widened = cosine * math.cos(margin) - sine * math.sin(margin)
    if easy:
        return torch.where(cosine > 0, widened, cosine)
    return torch.where(cosine > -math.cos(margin), widened, cosine - (1 - math.cos(margin)))
