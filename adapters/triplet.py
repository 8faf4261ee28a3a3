"""Losses on triplets of a batch: an example, one of its class, one of another."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.adapter import ADDED

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class AngularTriplet:
    """Triplets on angles: max(0, theta_ap - theta_an + margin), averaged over those that count.

    Theta_ap is an anchor's angle to an example of its class, theta_an to one of another. Mining:

    - `hardest`: every example is an anchor once, with the farthest of its class in the batch and
      the nearest of another (Hermans et al., 2017, arXiv:1703.07737, L_BH).
    - `semi-hard`: every ordered pair of a class is one, with the nearest of another class that is
      farther than the pair (Schroff et al., FaceNet, 2015, arXiv:1503.03832, section 3.2).
    - `all`: every triplet of the batch, averaged over those whose hinge is open (Hermans et al.,
      L_BA over its non-zero terms).

    Attributes:
        margin: in radians; its full value, if a schedule drives it.
        mining: which triplets of a batch count.
    """

    margin: float = 0.3
    mining: Literal["hardest", "semi-hard", "all"] = field(default="hardest", metadata=ADDED)

    version: ClassVar[int] = 1
    # The triplets of a whole batch: micro-batches would each find their own.
    needs: ClassVar[frozenset[str]] = frozenset({"pk", "full_batch"})
    scheduled: ClassVar[tuple[str, ...]] = ("margin",)

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `margin` is not in 0..pi, or there is no such mining.
        """
        if not 0 <= self.margin < math.pi:
            raise ValueError(f"margin is in radians, from 0 to under pi; got {self.margin}")
        if self.mining not in ("hardest", "semi-hard", "all"):
            raise ValueError(f"mining must be hardest, semi-hard or all, got {self.mining!r}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:  # noqa: ARG002 (the interface's)
        """Build the head."""
        from adapters.native.triplet_head import TripletHead

        return TripletHead(**asdict(self))
