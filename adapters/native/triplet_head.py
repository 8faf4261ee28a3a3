"""Triplets of a batch on angles between embeddings, with their mining.

Schroff, Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition and
Clustering", CVPR 2015, arXiv:1503.03832; Hermans, Beyer and Leibe, "In Defense of the Triplet Loss
for Person Re-Identification", 2017, arXiv:1703.07737. Both measure Euclidean distances; here the
distance is the angle.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.margin_heads import cosines
from harness.adapter import Batch, LossOutput

Mining = Literal["hardest", "semi-hard", "all"]

# Keeps the arc cosine's derivative finite, if an angle is 0 or pi and cannot move on anyway.
_LARGEST_COSINE = 1 - 1e-7


class TripletHead(nn.Module):
    """A hinge on like and unlike examples' angles to an anchor, without a weight of its own.

    Attributes:
        margin: in radians; a schedule may set it before a step.
    """

    def __init__(self, *, margin: float, mining: Mining) -> None:
        """Hold margin and mining; there is nothing to build."""
        super().__init__()
        self.margin = margin
        self.mining = mining

    def logits(self, embeddings: Tensor) -> Tensor:  # noqa: ARG002 (the interface's)
        """Refuse: triplets compare embeddings and know no classes.

        Raises:
            TypeError: always.
        """
        raise TypeError("a triplet loss has no classifier; judge its embeddings")

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its labels to the loss and the share of open hinges.

        Raises:
            ValueError: the batch's labels are mixed, or an example has no like or no unlike.
        """
        if batch.mix_labels is not None:
            raise ValueError("triplets compare examples of one label: use a recipe that mixes none")
        distance = angles(embeddings)
        if self.mining == "all":
            gaps = every_gap(distance, batch.labels)
        else:
            choose = hardest if self.mining == "hardest" else semi_hard
            positive, negative = choose(distance, batch.labels)
            gaps = positive - negative
        hinges = functional.relu(gaps + self.margin)
        open_ones = hinges > 0
        counted = open_ones.sum().clamp(min=1) if self.mining == "all" else hinges.numel()
        return LossOutput(
            hinges.sum() / counted, None, {"active_share": open_ones.float().mean().item()}
        )


def angles(embeddings: Tensor) -> Tensor:
    """Return the angles between all embeddings `[batch, size]`, in radians: `[batch, batch]`."""
    precise = embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))
    return cosines(precise, precise).clamp(-_LARGEST_COSINE, _LARGEST_COSINE).acos()


def hardest(distance: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return each example's distance to its farthest like and to its nearest unlike, `[batch]`.

    Hermans et al., the batch-hard loss (equation 5).

    Args:
        distance: `[batch, batch]`.
        labels: `[batch]`.

    Raises:
        ValueError: an example has no other of its class, or none of another.
    """
    like, same = _likes(labels)
    farthest = distance.masked_fill(~like, -torch.inf).amax(dim=1)
    return farthest, distance.masked_fill(same, torch.inf).amin(dim=1)


def semi_hard(distance: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return, of every anchor and its like, their distance and that of the nearest unlike beyond.

    FaceNet, section 3.2: a negative that is farther than the positive, though within the margin,
    lets an embedding not collapse as the hardest may early on. If no unlike is farther, the
    farthest of all stands in, which is the nearest to being so.

    Args:
        distance: `[batch, batch]`.
        labels: `[batch]`.

    Returns:
        Both `[pairs]`: ordered pairs of two examples of a class.

    Raises:
        ValueError: as of `hardest`.
    """
    like, same = _likes(labels)
    anchor, other = like.nonzero(as_tuple=True)
    positive, unlike = distance[anchor, other], ~same[anchor]
    beyond = unlike & (distance[anchor] > positive.unsqueeze(1))
    nearest = distance[anchor].masked_fill(~beyond, torch.inf).amin(dim=1)
    farthest = distance[anchor].masked_fill(~unlike, -torch.inf).amax(dim=1)
    return positive, torch.where(beyond.any(dim=1), nearest, farthest)


def every_gap(distance: Tensor, labels: Tensor) -> Tensor:
    """Return the positive's less the negative's distance of every triplet, `[triplets]`.

    Hermans et al., the batch-all loss (equation 6).

    Args:
        distance: `[batch, batch]`.
        labels: `[batch]`.

    Raises:
        ValueError: as of `hardest`.
    """
    like, same = _likes(labels)
    anchor, other = like.nonzero(as_tuple=True)
    gaps = distance[anchor, other].unsqueeze(1) - distance[anchor]
    return gaps[~same[anchor]]


def _likes(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return masks of two examples of one class, without and with each itself: `[batch, batch]`."""
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    like = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    if not (like.any(dim=1) & ~same.all(dim=1)).all():
        raise ValueError("triplets need two classes in a batch, and two examples of each: draw so")
    return like, same
