"""Batch-hard triplets on angles between embeddings.

Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017,
arXiv:1703.07737, the batch-hard loss L_BH, with the angle as its distance.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.cosines import cosines
from harness.adapter import Batch, LossOutput

# Keeps the arc cosine's derivative finite, where an angle is 0 or pi and cannot move on anyway.
_LARGEST_COSINE = 1 - 1e-7


class TripletHead(nn.Module):
    """A hinge on each example's farthest like and nearest unlike, without a weight of its own.

    Attributes:
        margin: in radians; a schedule may set it before a step.
    """

    def __init__(self, *, margin: float) -> None:
        """Holds the margin; there is nothing to build."""
        super().__init__()
        self.margin = margin

    def logits(self, embeddings: Tensor) -> Tensor:  # noqa: ARG002 (the interface's)
        """Refuses: triplets compare embeddings and know no classes.

        Raises:
            TypeError: always.
        """
        raise TypeError("a triplet loss has no classifier; judge its embeddings")

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Maps `[batch, embedding_size]` and its labels to the loss and the share of open hinges.

        Raises:
            ValueError: the batch's labels are mixed, or an example has no like or no unlike.
        """
        if batch.mix_labels is not None:
            raise ValueError("triplets compare examples of one label: use a recipe that mixes none")
        farthest, nearest = hardest(angles(embeddings), batch.labels)
        losses = functional.relu(farthest - nearest + self.margin)
        return LossOutput(losses.mean(), None, {"active_share": (losses > 0).float().mean().item()})


def angles(embeddings: Tensor) -> Tensor:
    """Angle between all embeddings `[batch, size]`, in radians: `[batch, batch]`."""
    precise = embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))
    return cosines(precise, precise).clamp(-_LARGEST_COSINE, _LARGEST_COSINE).acos()


def hardest(distance: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Distance of each example's farthest like and of its nearest unlike, both `[batch]`.

    Args:
        distance: `[batch, batch]`.
        labels: `[batch]`.

    Raises:
        ValueError: an example has no other of its class, or none of another.
    """
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    like = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    if not (like.any(dim=1) & ~same.all(dim=1)).all():
        raise ValueError("triplets need two classes in a batch, and two examples of each: draw so")
    farthest = distance.masked_fill(~like, -torch.inf).amax(dim=1)
    return farthest, distance.masked_fill(same, torch.inf).amin(dim=1)
