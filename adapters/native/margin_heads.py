"""Cosine classifiers under cross-entropy with margins: AAM, AM, and sub-centres with rivals.

- Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019,
  arXiv:1801.07698, equation 3.
- Wang et al., "Additive Margin Softmax for Face Verification", 2018, arXiv:1801.05599, equation 6.
- Deng et al., "Sub-center ArcFace: Boosting Face Recognition by Large-scale Noisy Web Faces",
  ECCV 2020 (a class's cosine is that of its nearest sub-centre); Zhao et al., "Multi-Query
  Multi-Head Attention Pooling and Inter-TopK Penalty for Speaker Verification", ICASSP 2022,
  arXiv:2110.05042 (the penalty: cos(theta - m') for the K nearest classes that are not the label).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.linear_heads import mixup_mean
from harness.adapter import Batch, LossOutput

# Bounds the derivative of the sine, which is infinite if the cosine is 1 or -1.
_LEAST_SQUARED_SINE = 1e-7


def cosines(embeddings: Tensor, centres: Tensor) -> Tensor:
    """Return cosines of embeddings `[batch, size]` with centres `[n, size]`: `[batch, n]`.

    They have the centres' type: autocast would round them to 8 bits, which a scale makes felt.
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        directions = functional.normalize(embeddings.to(centres.dtype))
        return functional.linear(directions, functional.normalize(centres))


def widen_angle(cosine: Tensor, margin: float, *, easy: bool = False) -> Tensor:
    """Widen an angle, given and returned as its cosine: cos(theta + margin).

    If theta + margin would pass pi, cos(theta + margin) would rise again and pull the embedding
    away from its class; there the cosine is shifted instead, by the constant that meets
    cos(pi) = -1 at the seam: cos(theta) - (1 - cos(margin)). The result is continuous and falls
    everywhere as the angle grows, and its gradient is finite everywhere, +-1 included.

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


def narrow_angle(cosine: Tensor, margin: float) -> Tensor:
    """Make an angle smaller, given and returned as its cosine: cos(theta - margin).

    An angle seen from the opposite side is pi - theta, so this is `widen_angle` there: under the
    margin, where the cosine would fall again and draw an embedding closer to what it should
    leave, it is shifted by a constant instead, and the gradient is finite at +-1.

    Args:
        cosine: cosines of any shape.
        margin: in radians, 0 to pi.
    """
    return -widen_angle(-cosine, margin)


class CosineHead(nn.Module):
    """A classifier by cosines to one centre a class.

    Attributes:
        scale: factor on the cosines.
        margin: in the unit of the subclass; a schedule may set both before a step.
    """

    def __init__(self, embedding_size: int, rows: int, *, scale: float, margin: float) -> None:
        """Build the classifier of `rows` centres."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(rows, embedding_size))
        nn.init.xavier_uniform_(self.weight)
        self.scale, self.margin = scale, margin

    def logits(self, embeddings: Tensor) -> Tensor:
        """Map `[batch, embedding_size]` to logits without a margin, `[batch, classes]`."""
        return self.plain_logits(self.cosines(embeddings))

    def class_centres(self) -> Tensor:
        """Return the direction of each class, `[classes, embedding_size]`."""
        return self.weight

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss."""
        cosine = self.cosines(embeddings)
        loss = mixup_mean(lambda labels: self.losses(cosine, labels), batch)
        return LossOutput(loss, self.plain_logits(cosine))

    def cosines(self, embeddings: Tensor) -> Tensor:
        """Map `[batch, embedding_size]` to a cosine for each class, `[batch, classes]`."""
        return cosines(embeddings, self.weight)

    def plain_logits(self, cosine: Tensor) -> Tensor:
        """Map cosines to logits without a margin."""
        return self.scale * cosine

    def losses(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of each example under the margin, `[batch]`."""
        logits = self.scale * self.apply_margin(cosine, labels)
        return functional.cross_entropy(logits, labels, reduction="none")

    def apply_margin(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Return the cosines under the margin, `[batch, classes]`."""
        raise NotImplementedError


class AamHead(CosineHead):
    """Cross-entropy of scaled cosines, the true class's angle made wider by a margin in radians."""

    def __init__(
        self, embedding_size: int, classes: int, *, scale: float, margin: float, easy_margin: bool
    ) -> None:
        """Build the classifier; see `widen_angle` for `easy_margin`."""
        super().__init__(embedding_size, classes, scale=scale, margin=margin)
        self.easy_margin = easy_margin

    def apply_margin(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Widen the true class's angle."""
        column = labels.unsqueeze(1)
        target = widen_angle(cosine.gather(1, column), self.margin, easy=self.easy_margin)
        return cosine.scatter(1, column, target)


class AmHead(CosineHead):
    """Cross-entropy of scaled cosines, the true class's made smaller by a margin."""

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss."""
        logits = self.logits(embeddings)
        return LossOutput(mixup_mean(lambda labels: self.losses(logits, labels), batch), logits)

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of each example under the margin, `[batch]`."""
        column = labels.unsqueeze(1)
        target = logits.gather(1, column) - self.scale * self.margin
        return functional.cross_entropy(logits.scatter(1, column, target), labels, reduction="none")


class SubcenterHead(CosineHead):
    """Cross-entropy of scaled cosines: the true angle wider, those of the nearest others narrower.

    Margins are in radians.

    Attributes:
        inter_margin: taken off the angles of the nearest other classes; a schedule may set it.
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
        """Build the classifier; a class's `sub_centers` rows of the weight are neighbours."""
        super().__init__(embedding_size, classes * sub_centers, scale=scale, margin=margin)
        self.sub_centers = sub_centers
        self.rivals = min(top_k, classes - 1)
        self.inter_margin = inter_margin

    def class_centres(self) -> Tensor:
        """Return the mean direction of each class's sub-centres, `[classes, embedding_size]`."""
        directions = functional.normalize(self.weight)
        return directions.reshape(-1, self.sub_centers, directions.shape[1]).mean(dim=1)

    def cosines(self, embeddings: Tensor) -> Tensor:
        """Return the cosine to the nearest sub-centre of each class, `[batch, classes]`."""
        each = cosines(embeddings, self.weight)
        return each.reshape(len(each), -1, self.sub_centers).amax(dim=2)

    def apply_margin(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Widen the true class's angle, and narrow those of its rivals."""
        column = labels.unsqueeze(1)
        rivals = rival_classes(cosine, labels, self.rivals)
        target = widen_angle(cosine.gather(1, column), self.margin)
        penalised = narrow_angle(cosine.gather(1, rivals), self.inter_margin)
        return cosine.scatter(1, column, target).scatter(1, rivals, penalised)


def rival_classes(cosine: Tensor, labels: Tensor, count: int) -> Tensor:
    """Return the nearest other classes of each example, `[batch, count]`, nearest first.

    Args:
        cosine: `[batch, classes]`.
        labels: `[batch]`; an example's own class is none of them.
        count: 0 to classes - 1.
    """
    others = cosine.detach().scatter(1, labels.unsqueeze(1), -torch.inf)
    return others.topk(count, dim=1).indices
