"""Classification losses: plain softmax and additive angular margin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Softmax:
    """Cross-entropy of a linear classifier with a bias.

    Attributes:
        label_smoothing: share of each label spread evenly over all classes, 0 to 1.
    """

    label_smoothing: float = 0.0

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `label_smoothing` is not in 0..1.
        """
        if not 0 <= self.label_smoothing <= 1:
            raise ValueError(f"label_smoothing must be in 0..1, got {self.label_smoothing}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Make the head."""
        from adapters.native.softmax_head import SoftmaxHead

        return SoftmaxHead(embedding_size, classes, label_smoothing=self.label_smoothing)


@dataclass(frozen=True, kw_only=True)
class AamSoftmax:
    """Additive angular margin softmax (Deng et al., 2019, arXiv:1801.07698, equation 3).

    Attributes:
        scale: factor on the cosines.
        margin: added to the angle of the true class, in radians; its full value, where a
            schedule drives it.
        easy_margin: add the margin only to angles under a right angle.
    """

    scale: float = 32.0
    margin: float = 0.2
    easy_margin: bool = False

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ("margin", "scale")

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `scale` is not positive, or `margin` is not in 0..pi.
        """
        if self.scale <= 0:
            raise ValueError(f"scale must be positive, got {self.scale}")
        if not 0 <= self.margin < math.pi:
            raise ValueError(f"margin is in radians, from 0 to under pi; got {self.margin}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Make the head."""
        from adapters.native.aam_head import AamHead

        return AamHead(
            embedding_size,
            classes,
            scale=self.scale,
            margin=self.margin,
            easy_margin=self.easy_margin,
        )
