"""Gradient harmonising: losses that weigh examples by how many others pull alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class GhmClassification:
    """GHM-C (Li, Liu and Wang, 2019, arXiv:1811.05181) on softmax cross-entropy.

    Attributes:
        bins: unit regions of the gradient norm.
        momentum: share of the old density that each batch leaves, from 0 to under 1.
    """

    bins: int = 10
    momentum: float = 0.75

    version: ClassVar[int] = 1
    # The density is that of a whole batch: micro-batches would each count their own.
    needs: ClassVar[frozenset[str]] = frozenset({"full_batch"})
    scheduled: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `bins` is under 1, or `momentum` is not from 0 to under 1.
        """
        if self.bins < 1:
            raise ValueError(f"bins must be at least 1, got {self.bins}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be from 0 to under 1, got {self.momentum}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.ghm_head import GhmHead

        return GhmHead(embedding_size, classes, **asdict(self))
