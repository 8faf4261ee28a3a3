"""A loss of one's own: softmax over scaled cosines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.adapter import Batch, LossOutput

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class CosineSoftmax:
    """Cross-entropy of scaled cosines (Wang et al., NormFace, 2017, arXiv:1704.06369).

    Attributes:
        scale: factor on the cosines; a recipe's schedule may drive it.
    """

    scale: float = 16.0

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ("scale",)

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Return the head, which owns the classifier's weights."""
        import torch
        from torch import nn
        from torch.nn import functional

        class Cosines(nn.Module):
            def __init__(self, scale: float) -> None:
                super().__init__()
                self.scale = scale
                self.weight = nn.Parameter(torch.empty(classes, embedding_size))
                nn.init.xavier_normal_(self.weight)

            def forward(self, embeddings: torch.Tensor, batch: Batch) -> LossOutput:
                logits = self.logits(embeddings)
                spread = float(logits.detach().std())
                loss = functional.cross_entropy(logits, batch.labels)
                return LossOutput(loss, logits, {"logit_deviation": spread})

            def logits(self, embeddings: torch.Tensor) -> torch.Tensor:
                weight = functional.normalize(self.weight)
                return self.scale * functional.linear(functional.normalize(embeddings), weight)

        return Cosines(self.scale)
