"""Cross-entropy of distances in hyperbolic space, with an additive margin.

Fang and He, "Hyperbolic Additive Margin Softmax with Hierarchical Information for Speaker
Verification", ICASSP 2026, arXiv:2601.19709, as the authors' code and WeSpeaker's `ham_margin`
compute it: the curvature bounds the length of embeddings and centres, and distances are those of
the Poincare ball of radius 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adapters.native.margin_heads import AmHead

_INSIDE = 1e-5
"""Share of the radius that points keep from the edge, and the least product under a distance."""


class HamHead(AmHead):
    """A classifier by negative distances: AM-softmax with these in the place of cosines."""

    def __init__(
        self, embedding_size: int, classes: int, *, curvature: float, scale: float, margin: float
    ) -> None:
        """Build the classifier; its centres start near the middle of the ball."""
        super().__init__(embedding_size, classes, scale=scale, margin=margin)
        nn.init.normal_(self.weight, std=1e-3)
        self.radius = (1 - _INSIDE) / curvature**0.5

    def cosines(self, embeddings: Tensor) -> Tensor:
        """Return what is scaled: the negative distance to each class, `[batch, classes]`."""
        with torch.autocast(embeddings.device.type, enabled=False):
            points = keep_within(embeddings.to(self.weight.dtype), self.radius)
            return -poincare_distances(points, keep_within(self.weight, self.radius))


def keep_within(points: Tensor, radius: float) -> Tensor:
    """Shorten vectors `[n, size]` that are longer than the radius."""
    lengths = points.norm(dim=-1, keepdim=True).clamp(min=_INSIDE)
    kept: Tensor = points * (radius / lengths).clamp(max=1)
    return kept


def poincare_distances(points: Tensor, centres: Tensor) -> Tensor:
    """Return distances in the Poincare ball of curvature -1, `[n, classes]`.

    They are arcosh(1 + 2 |x - y|^2 / ((1 - |x|^2) (1 - |y|^2))), written as 2 arsinh(...), whose
    gradient is finite where a point lies on a centre.

    Args:
        points: `[n, size]`, shorter than 1.
        centres: `[classes, size]`, likewise.
    """
    # Differences first: products of matrices would lose the digits of small distances.
    apart = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist")
    rest, others = (1 - each.square().sum(dim=-1) for each in (points, centres))
    product = (rest.unsqueeze(1) * others).clamp(min=_INSIDE)
    return 2 * torch.asinh(apart / product.sqrt())
