"""Losses on triplets of a batch: an example, one of its class, one of another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class AngularTriplet:
    """Batch-hard triplets (Hermans et al., 2017, arXiv:1703.07737, L_BH) on angles.

    Every example is an anchor once: max(0, theta_ap - theta_an + margin), theta_ap the angle to
    the farthest of its class in the batch and theta_an to the nearest of another.

    Attributes:
        margin: in radians; its full value, where a schedule drives it.
    """

    margin: float = 0.3

    version: ClassVar[int] = 1
    # The hardest of a whole batch: micro-batches would each find their own.
    needs: ClassVar[frozenset[str]] = frozenset({"pk", "full_batch"})
    scheduled: ClassVar[tuple[str, ...]] = ("margin",)

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `margin` is not in 0..pi.
        """
        if not 0 <= self.margin < math.pi:
            raise ValueError(f"margin is in radians, from 0 to under pi; got {self.margin}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:  # noqa: ARG002 (the interface's)
        """Make the head."""
        from adapters.native.triplet_head import TripletHead

        return TripletHead(margin=self.margin)
