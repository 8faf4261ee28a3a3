"""A cosine classifier with an additive angular margin.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019,
arXiv:1801.07698, equation 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.cosines import cosines, margined
from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput


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
        return self.scale * cosines(embeddings, self.weight)

    def class_centres(self) -> Tensor:
        """Direction of each class, `[classes, embedding_size]`."""
        return self.weight

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss."""
        cosine = cosines(embeddings, self.weight)
        loss = mixed_mean(lambda labels: self._losses(cosine, labels), batch)
        return LossOutput(loss, self.scale * cosine)

    def _losses(self, cosine: Tensor, labels: Tensor) -> Tensor:
        column = labels.unsqueeze(1)
        target = margined(cosine.gather(1, column), self.margin, easy=self.easy_margin)
        logits = self.scale * cosine.scatter(1, column, target)
        return functional.cross_entropy(logits, labels, reduction="none")
