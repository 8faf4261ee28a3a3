"""Classification losses beside the softmax margins: of two classes, or of weighed examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class SphereFace2:
    """Binary classification of each class against all others (Wen et al., 2021, arXiv:2108.01513).

    The margins stand on both sides, as Han et al. (2023, arXiv:2307.08205) and WeSpeaker have
    them; of type `A`, the authors of the loss move the own class's angle alone.

    Attributes:
        scale: factor r on the similarities.
        margin: of type `C` a difference of similarities, of type `A` an angle in radians; its
            full value, if a schedule drives it.
        balance: lambda, the weight of an example's own class; the others' is what is left of 1.
        exponent: t of the similarity adjustment 2 * ((z + 1) / 2) ** t - 1; 1 leaves cosines alone.
        margin_type: `C`, g(cos(theta)) -+ margin, or `A`, g(cos(theta +- margin)).
    """

    scale: float = 32.0
    margin: float = 0.2
    balance: float = 0.7
    exponent: float = 3.0
    margin_type: Literal["C", "A"] = "C"

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ("margin", "scale")

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: a field is out of its range.
        """
        if self.scale <= 0:
            raise ValueError(f"scale must be positive, got {self.scale}")
        if self.margin_type not in ("C", "A"):
            raise ValueError(f"margin_type must be C or A, got {self.margin_type!r}")
        limit = 2.0 if self.margin_type == "C" else math.pi
        if not 0 <= self.margin < limit:
            raise ValueError(f"margin must be from 0 to under {limit:.4g}, got {self.margin}")
        if not 0 < self.balance < 1:
            raise ValueError(f"balance must be between 0 and 1, got {self.balance}")
        if self.exponent < 1:
            raise ValueError(f"exponent must be at least 1, got {self.exponent}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.sphereface2_head import SphereFace2Head

        return SphereFace2Head(embedding_size, classes, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class FocalSoftmax:
    """Focal cross-entropy of a softmax (Lin et al., 2017, arXiv:1708.02002, equation 4).

    Attributes:
        gamma: how fast an example loses weight as its class becomes sure; 0 is cross-entropy.
    """

    gamma: float = 2.0

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ()
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `gamma` is negative.
        """
        if self.gamma < 0:
            raise ValueError(f"gamma must not be negative, got {self.gamma}")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.linear_heads import FocalHead

        return FocalHead(embedding_size, classes, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class ClassBalancedSoftmax:
    """Cross-entropy of a softmax, classes weighed by their effective number of training items.

    Cui, Jia, Lin, Song and Belongie, "Class-Balanced Loss Based on Effective Number of Samples",
    CVPR 2019, arXiv:1901.05555, equations 10 and 11: a class of n items weighs
    (1 - beta) / (1 - beta ** n).

    Attributes:
        beta: 0 weighs all classes alike; near 1, a class by one over its number of items.
    """

    beta: float = 0.999

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"counts"})
    scheduled: ClassVar[tuple[str, ...]] = ()
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `beta` is not from 0 to under 1.
        """
        if not 0 <= self.beta < 1:
            raise ValueError(f"beta must be from 0 to under 1, got {self.beta}")

    def build(
        self, embedding_size: int, classes: int, *, counts: Sequence[int] | None = None
    ) -> nn.Module:
        """Build the head.

        Raises:
            ValueError: `counts` does not give every class one training item or more.
        """
        from adapters.native.linear_heads import ClassBalancedHead

        items = check_counts("class-balanced weights", counts, classes)
        return ClassBalancedHead(embedding_size, items, beta=self.beta)


def check_counts(what: str, counts: Sequence[int] | None, classes: int) -> Sequence[int]:
    """Return the training items of each class, `[classes]`.

    Args:
        what: needs them, for the message.
        counts: as they were given.
        classes: how many there are.

    Raises:
        ValueError: they are not given, or not of every class, or a class has none.
    """
    if counts is None or len(counts) != classes or min(counts) < 1:
        raise ValueError(
            f"{what} need the number of training items of each of {classes} classes, one or more"
        )
    return counts
