"""Gradient harmonising: losses that weigh examples by how many others pull alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.adapter import ADDED

if TYPE_CHECKING:
    from torch import nn

Density = Literal["bins", "exact"]


def check_density(bins: int, momentum: float, density: Density) -> None:
    """Check what a density of gradient norms is made by.

    Raises:
        ValueError: `bins` is under 1, `momentum` is not from 0 to under 1, there is no such
            `density`, or an exact one is to have momentum.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be from 0 to under 1, got {momentum}")
    if density not in ("bins", "exact"):
        raise ValueError(f"density must be bins or exact, got {density!r}")
    if density == "exact" and momentum:
        raise ValueError(
            f"momentum must be 0 where the density is exact, got {momentum}: the regions of one "
            "batch are not those of the next"
        )


@dataclass(frozen=True, kw_only=True)
class GhmClassification:
    """GHM-C (Li, Liu and Wang, 2019, arXiv:1811.05181) on softmax cross-entropy.

    Attributes:
        bins: unit regions of the gradient norm; one over so many is the width of an exact one.
        momentum: share of the old density that each batch leaves, from 0 to under 1.
        density: by `bins`, the paper's approximation; or `exact`, a region about each norm.
    """

    bins: int = 10
    momentum: float = 0.75
    density: Density = field(default="bins", metadata=ADDED)

    version: ClassVar[int] = 1
    # The density is that of a whole batch: micro-batches would each count their own.
    needs: ClassVar[frozenset[str]] = frozenset({"full_batch"})
    scheduled: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: see `check_density`.
        """
        check_density(self.bins, self.momentum, self.density)

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.ghm_head import GhmHead

        return GhmHead(embedding_size, classes, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class GhmSigmoid(GhmClassification):
    """GHM-C as the paper has it, on the sigmoid of each class against all others.

    Attributes:
        bins, momentum, density: of `GhmClassification`; every class of every example is counted.
    """

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.ghm_head import GhmSigmoidHead

        return GhmSigmoidHead(embedding_size, classes, **asdict(self))
