"""A cosine classifier of several centres a class, with margins for the label and its rivals.

Deng et al., "Sub-center ArcFace: Boosting Face Recognition by Large-scale Noisy Web Faces",
ECCV 2020 (a class's cosine is that of its nearest sub-centre); Zhao et al., "Multi-Query
Multi-Head Attention Pooling and Inter-TopK Penalty for Speaker Verification", ICASSP 2022,
arXiv:2110.05042 (the penalty: cos(theta - m') for the K nearest classes that are not the label).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.cosines import cosines, margined, narrowed
from adapters.native.mixed import mixed_mean
from harness.adapter import Batch, LossOutput


class SubcenterHead(nn.Module):
    """Cross-entropy of scaled cosines: the true angle wider, those of the nearest others narrower.

    Attributes:
        scale: factor on the cosines.
        margin: added to the true class's angle, in radians; a schedule may set it before a step.
        inter_margin: taken off the angles of the nearest other classes, in radians; so may it.
    """

    def __init__(
        self,
        embedding_size: int,
        classes: int,
        *,
        sub_centers: int,
        top_k: int,
        scale: float,
        margin: float,
        inter_margin: float,
    ) -> None:
        """Builds the classifier; a class's `sub_centers` rows of the weight are neighbours."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes * sub_centers, embedding_size))
        nn.init.xavier_uniform_(self.weight)
        self.sub_centers = sub_centers
        self.rivals = min(top_k, classes - 1)
        self.scale = scale
        self.margin = margin
        self.inter_margin = inter_margin

    def logits(self, embeddings: Tensor) -> Tensor:
        """Scaled cosines without margins: `[batch, embedding_size]` to `[batch, classes]`."""
        return self.scale * self._nearest(embeddings)

    def class_centres(self) -> Tensor:
        """Mean direction of each class's sub-centres, `[classes, embedding_size]`."""
        directions = functional.normalize(self.weight)
        return directions.reshape(-1, self.sub_centers, directions.shape[1]).mean(dim=1)

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss."""
        nearest = self._nearest(embeddings)
        loss = mixed_mean(lambda labels: self._losses(nearest, labels), batch)
        return LossOutput(loss, self.scale * nearest)

    def _nearest(self, embeddings: Tensor) -> Tensor:
        each = cosines(embeddings, self.weight)
        return each.reshape(len(each), -1, self.sub_centers).amax(dim=2)

    def _losses(self, nearest: Tensor, labels: Tensor) -> Tensor:
        column = labels.unsqueeze(1)
        rivals = rival_classes(nearest, labels, self.rivals)
        target = margined(nearest.gather(1, column), self.margin)
        penalised = narrowed(nearest.gather(1, rivals), self.inter_margin)
        logits = self.scale * nearest.scatter(1, column, target).scatter(1, rivals, penalised)
        return functional.cross_entropy(logits, labels, reduction="none")


def rival_classes(cosine: Tensor, labels: Tensor, count: int) -> Tensor:
    """The other classes that are nearest to each example, `[batch, count]`, nearest first.

    Args:
        cosine: `[batch, classes]`.
        labels: `[batch]`; an example's own class is none of them.
        count: 0 to classes - 1.
    """
    others = cosine.detach().scatter(1, labels.unsqueeze(1), -torch.inf)
    return others.topk(count, dim=1).indices
