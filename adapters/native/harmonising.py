"""Gradient harmonising: weights of examples by how many others have a gradient norm like theirs.

Li, Liu and Wang, "Gradient Harmonized Single-stage Detector", AAAI 2019, arXiv:1811.05181. An
example of gradient norm g, in 0..1, weighs N / GD(g), where the density GD(g) is the number of
examples whose norm lies in the unit region of width epsilon about g, over that region's width
(equations 4 to 6). Epsilon is one over a number of bins.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Density = Literal["bins", "exact"]

EMPTY = 1e-6
"""Running share of the examples below which a bin counts as empty: none fell there of late."""


class Harmonising(nn.Module):
    """A head that weighs what its loss is a mean of: examples, their classes, or pairs.

    The running density is a buffer, so that it is saved and resumed with the weights. It moves in
    training only; evaluation looks at its batch through it and leaves it as it is. A norm that is
    not a number counts as the hardest and leaves the density as it is: the loss, which is then no
    number either, tells of it.

    Attributes:
        density: share of the norms in each bin, `[bins]`: running, or of the last batch if the
            density is exact.
    """

    density: Tensor

    def begin_density(self, bins: int, momentum: float, density: Density) -> None:
        """Begin with an empty density of `bins` bins, or one over so many wide regions."""
        self.momentum = momentum
        self.is_exact = density == "exact"
        self.register_buffer("density", torch.zeros(bins))

    @torch.no_grad()
    def harmonise(self, norm: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Return the weight of each gradient norm, `[N]`, and statistics for a curve.

        Args:
            norm: `[N]`, from 0 to 1.
        """
        finite, norm = norm.isfinite().all(), norm.nan_to_num(nan=1.0, posinf=1.0)
        bins = len(self.density)
        place = bin_index(norm, bins=bins)
        share = bin_counts(place, bins=bins).to(self.density) / len(place)
        density = self._update_density(share, finite)
        if self.is_exact:
            weights = exact_weights(norm, width=1 / bins)
        else:
            weights = harmonising_weights(place, share, density)
        numbers = torch.stack((weights.mean().to(share), share[0], share[-1])).tolist()
        names = ("mean_weight", "easiest_share", "hardest_share")
        return weights, dict(zip(names, numbers, strict=True))

    def vectors(self) -> dict[str, tuple[list[float], list[float]]]:
        """Return the density of gradient norms, and the weight of each bin's examples.

        A bin that is empty has the weight 0; so has one of whose examples momentum has left next
        to nothing: the next one that falls there fills it again, and never has so large a weight.
        """
        bins = len(self.density)
        edges = [place / bins for place in range(bins + 1)]
        filled = self.density > EMPTY
        regions = bins if self.is_exact else filled.sum()
        weights = torch.where(filled, 1 / (self.density.clamp(min=EMPTY) * regions), 0.0)
        return {
            "gradient_density": (self.density.tolist(), edges),
            "gradient_weight": (weights.tolist(), edges),
        }

    def _update_density(self, share: Tensor, finite: Tensor) -> Tensor:
        """Return the running density with a batch's shares taken in (the paper's "EMA").

        The first batch's stand alone: an average that starts from nothing would make the first
        weights 1 / (1 - momentum) times too large.
        """
        blend = self.momentum * self.density + (1 - self.momentum) * share
        density = torch.where(self.density.sum() > 0, blend, share)
        if self.training:
            self.density.copy_(torch.where(finite, density, self.density))
        return density


def bin_index(norm: Tensor, *, bins: int) -> Tensor:
    """Return the unit region of each gradient norm, of `bins` equal ones; 1 is in the last."""
    return (norm * bins).long().clamp(max=bins - 1)


def bin_counts(place: Tensor, *, bins: int) -> Tensor:
    """Return how many norms lie in each bin, `[bins]`; no GPU is waited for, as `bincount` does."""
    every = torch.arange(bins, device=place.device)
    return (place.unsqueeze(1) == every).sum(dim=0)


def harmonising_weights(place: Tensor, share: Tensor, density: Tensor) -> Tensor:
    """Return the weight of each example: N / (GD(g) * number of non-empty bins), `[N]`.

    The paper's "Unit Region Approximation", where GD is a bin's count over the bin's width and
    1 / width is the number of bins. Counted here are the bins that the batch fills, as in the
    authors' own code: without momentum the mean weight is then exactly 1. Densities are shares
    of N, not counts, so that a batch of another size leaves the weights alone.

    Args:
        place: bin of each example, `[N]`.
        share: the batch's share in each bin, `[bins]`.
        density: the running share in each bin, `[bins]`, positive in the bins of the batch.
    """
    return 1 / (density[place] * (share > 0).sum())


def exact_weights(norm: Tensor, *, width: float) -> Tensor:
    """Return the weight N / GD(g) of each example, `[N]`, its own unit region about its norm.

    The paper's equations 4 to 6: of the norms from g - width / 2 to under g + width / 2, their
    number over the length of that region within 0..1. Sorted norms make it N log N.

    Args:
        norm: `[N]`, from 0 to 1.
        width: epsilon.
    """
    precise = norm.double()
    ordered, low, high = precise.sort().values, precise - width / 2, precise + width / 2
    near = torch.searchsorted(ordered, high) - torch.searchsorted(ordered, low)
    length = high.clamp(max=1) - low.clamp(min=0)
    return (len(norm) * length / near).to(norm)
