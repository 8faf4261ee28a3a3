"""Classification losses of one softmax over all classes: plain, or with a margin."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
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
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `label_smoothing` is not in 0..1.
        """
        if not 0 <= self.label_smoothing <= 1:
            raise ValueError(f"label_smoothing must be in 0..1, got {self.label_smoothing}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.linear_heads import SoftmaxHead

        return SoftmaxHead(embedding_size, classes, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class AamSoftmax:
    """Additive angular margin softmax (Deng et al., 2019, arXiv:1801.07698, equation 3).

    Attributes:
        scale: factor on the cosines.
        margin: added to the angle of the true class, in radians; its full value, if a
            schedule drives it.
        easy_margin: add the margin only to angles under a right angle.
    """

    scale: float = 32.0
    margin: float = 0.2
    easy_margin: bool = False

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ("margin", "scale")
    mixes: ClassVar[bool] = True

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
        """Build the head."""
        from adapters.native.margin_heads import AamHead

        return AamHead(embedding_size, classes, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class AmSoftmax:
    """Additive margin softmax (Wang et al., 2018, arXiv:1801.05599, equation 6).

    Attributes:
        scale: factor on the cosines.
        margin: taken off the cosine of the true class; its full value, if a schedule drives it.
    """

    scale: float = 32.0
    margin: float = 0.2

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ("margin", "scale")
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `scale` is not positive, or `margin` is not in 0..2.
        """
        if self.scale <= 0:
            raise ValueError(f"scale must be positive, got {self.scale}")
        if not 0 <= self.margin < 2:
            raise ValueError(f"margin is a difference of cosines, 0 to under 2; got {self.margin}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.margin_heads import AmHead

        return AmHead(embedding_size, classes, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class SubcenterAam:
    """Sub-center AAM (Deng et al., ECCV 2020) with the inter-topK penalty (Zhao et al., 2021).

    Unlike WeSpeaker's, `inter_margin` does not follow `margin` by itself: a recipe that warms up
    one drives both.

    Attributes:
        sub_centers: centres of each class, of which the nearest counts.
        top_k: nearest other classes whose angle is made smaller; all, if there are fewer.
        scale: factor on the cosines.
        margin: added to the angle of the true class, in radians; its full value, if a
            schedule drives it.
        inter_margin: taken off the angles of the `top_k` classes, in radians; its full value
            likewise.
    """

    sub_centers: int = 3
    top_k: int = 5
    scale: float = 32.0
    margin: float = 0.2
    inter_margin: float = 0.06

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ("margin", "scale", "inter_margin")
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: a field is out of its range.
        """
        if self.sub_centers < 1:
            raise ValueError(f"sub_centers must be at least 1, got {self.sub_centers}")
        if self.top_k < 0:
            raise ValueError(f"top_k must not be negative, got {self.top_k}")
        if self.scale <= 0:
            raise ValueError(f"scale must be positive, got {self.scale}")
        for name, value in (("margin", self.margin), ("inter_margin", self.inter_margin)):
            if not 0 <= value < math.pi:
                raise ValueError(f"{name} is in radians, from 0 to under pi; got {value}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.margin_heads import SubcenterHead

        return SubcenterHead(embedding_size, classes, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class HamSoftmax:
    """Hyperbolic additive margin softmax (Fang and He, ICASSP 2026, arXiv:2601.19709).

    Attributes:
        curvature: c of the ball of radius 1 / sqrt(c) that embeddings and centres are kept within.
        scale: factor on the distances.
        margin: added to the distance of the true class; its full value, if a schedule drives it.
            0 is the paper's H-Softmax.
    """

    curvature: float = 3.0
    scale: float = 30.0
    margin: float = 0.2

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ("margin", "scale")
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `curvature` is under 1, `scale` is not positive, or `margin` is negative.
        """
        if self.curvature < 1:
            raise ValueError(f"curvature must be at least 1, got {self.curvature}")
        if self.scale <= 0:
            raise ValueError(f"scale must be positive, got {self.scale}")
        if self.margin < 0:
            raise ValueError(f"margin must not be negative, got {self.margin}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.ham_head import HamHead

        return HamHead(embedding_size, classes, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class AdaFace:
    """A margin by the length of each embedding (Kim et al., CVPR 2022, arXiv:2204.00964).

    Attributes:
        scale: factor on the cosines.
        margin: m of the paper, in radians and as a difference of cosines; its full value, if a
            schedule drives it.
        concentration: h of the paper: lengths within 1 / h deviations of their mean are told apart.
        momentum: share of the old mean and deviation of lengths that each batch leaves.
    """

    scale: float = 64.0
    margin: float = 0.4
    concentration: float = 0.333
    momentum: float = 0.99

    version: ClassVar[int] = 1
    # Mean and deviation of lengths are those of a whole batch.
    needs: ClassVar[frozenset[str]] = frozenset({"full_batch"})
    scheduled: ClassVar[tuple[str, ...]] = ("margin", "scale")

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: a field is out of its range.
        """
        if self.scale <= 0:
            raise ValueError(f"scale must be positive, got {self.scale}")
        if not 0 <= self.margin < 1:
            raise ValueError(f"margin must be from 0 to under 1, got {self.margin}")
        if self.concentration <= 0:
            raise ValueError(f"concentration must be positive, got {self.concentration}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be from 0 to under 1, got {self.momentum}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.adaface_head import AdaFaceHead

        return AdaFaceHead(embedding_size, classes, **asdict(self))
