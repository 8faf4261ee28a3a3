"""ReDimNet2 of PalabraAI (MIT licence), with its front end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.adapter import TfMel

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class ReDimNet2:
    """ReDimNet2 (Yakovlev and Okhotnikov, 2026, arXiv:2603.11841).

    Attributes:
        size: the published B0 to B3: 1.1, 2.1, 3.6 and 4.1 million parameters.
        embedding_size: length of the embedding.
        group_norm: normalise each map before maps are summed: true in the authors' newer recipes,
            false in the paper's networks and their checkpoints.
    """

    size: Literal["b0", "b1", "b2", "b3"] = "b2"
    embedding_size: int = 192
    group_norm: bool = False

    version: ClassVar[int] = 1

    def inputs(self) -> TfMel:
        """Return its own filterbanks of 72 bins; the network pools four frames into one."""
        return TfMel(bins=72, least_frames=4)

    def build(self) -> nn.Module:
        """Build the backbone: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        from adapters.native.redimnet2 import SIZES, ReDimNet2Backbone

        return ReDimNet2Backbone(
            SIZES[self.size], embedding_size=self.embedding_size, group_norm=self.group_norm
        )
