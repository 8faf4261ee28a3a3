"""Losses for classes of very different sizes, by the number of training items of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adapters.class_losses import check_counts

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class LogitAdjustment:
    """Cross-entropy of logits shifted by each class's share of the training items.

    Menon et al., "Long-tail Learning via Logit Adjustment", ICLR 2021, arXiv:2007.07314, equation
    10. Classes are decided by the logits without the shift, so that a rare class need not be rare.

    Attributes:
        tau: factor on the logarithm of a class's share; 0 is cross-entropy.
    """

    tau: float = 1.0

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"counts"})
    scheduled: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `tau` is negative.
        """
        if self.tau < 0:
            raise ValueError(f"tau must not be negative, got {self.tau}")

    def build(
        self, embedding_size: int, classes: int, *, counts: Sequence[int] | None = None
    ) -> nn.Module:
        """Build the head.

        Raises:
            ValueError: `counts` does not give every class one training item or more.
        """
        import torch

        from adapters.native.long_tail_heads import ShiftedLogitsHead

        items = torch.tensor(check_counts("logit adjustment", counts, classes), dtype=torch.float64)
        return ShiftedLogitsHead(embedding_size, self.tau * (items / items.sum()).log())


@dataclass(frozen=True, kw_only=True)
class BalancedSoftmax:
    """Softmax whose classes are weighed by their number of training items, in training alone.

    Ren et al., "Balanced Meta-Softmax for Long-Tailed Visual Recognition", NeurIPS 2020,
    arXiv:2007.10740, equation 3 (without their meta-sampler). It is logit adjustment with tau 1:
    the two shift all logits by the same.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"counts"})
    scheduled: ClassVar[tuple[str, ...]] = ()

    def build(
        self, embedding_size: int, classes: int, *, counts: Sequence[int] | None = None
    ) -> nn.Module:
        """Build the head.

        Raises:
            ValueError: `counts` does not give every class one training item or more.
        """
        import torch

        from adapters.native.long_tail_heads import ShiftedLogitsHead

        items = torch.tensor(check_counts("balanced softmax", counts, classes), dtype=torch.float64)
        return ShiftedLogitsHead(embedding_size, items.log())


@dataclass(frozen=True, kw_only=True)
class Ldam:
    """Margins by a class's size, with deferred re-weighting (Cao et al., 2019, arXiv:1906.07413).

    Attributes:
        margin: of the rarest class, a difference of cosines; the others' fall with the fourth root
            of their number of training items (equation 13).
        scale: factor on the cosines.
        beta: of the class weights by the effective number of items, as `ClassBalancedSoftmax`.
        reweighting: how far the class weights count, from 0 to 1; their full value. A recipe defers
            it: `schedules.reweighting = { shape = "linear", start = 0.8, end = 0.8 }`.
    """

    margin: float = 0.5
    scale: float = 30.0
    beta: float = 0.9999
    reweighting: float = 1.0

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"counts"})
    scheduled: ClassVar[tuple[str, ...]] = ("scale", "reweighting")

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: a field is out of its range.
        """
        if not 0 <= self.margin < 2:
            raise ValueError(f"margin is a difference of cosines, 0 to under 2; got {self.margin}")
        if self.scale <= 0:
            raise ValueError(f"scale must be positive, got {self.scale}")
        if not 0 <= self.beta < 1:
            raise ValueError(f"beta must be from 0 to under 1, got {self.beta}")
        if not 0 <= self.reweighting <= 1:
            raise ValueError(f"reweighting must be in 0..1, got {self.reweighting}")

    def build(
        self, embedding_size: int, classes: int, *, counts: Sequence[int] | None = None
    ) -> nn.Module:
        """Build the head.

        Raises:
            ValueError: `counts` does not give every class one training item or more.
        """
        from adapters.native.long_tail_heads import LdamHead

        return LdamHead(
            embedding_size,
            check_counts("label-distribution-aware margins", counts, classes),
            margin=self.margin,
            scale=self.scale,
            beta=self.beta,
            reweighting=self.reweighting,
        )
