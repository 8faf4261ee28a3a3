"""Losses that learn to rank: on pairs of items of a batch, or on what they are graded by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from adapters.ghm import Density, check_density

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class MarginRanking:
    """A hinge on pairs: the preferred item's score is to be higher by a margin (Herbrich, 2000).

    Attributes:
        margin: a difference of scores; its full value, if a schedule drives it.
    """

    margin: float = 1.0

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"pairs"})
    scheduled: ClassVar[tuple[str, ...]] = ("margin",)

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `margin` is not positive.
        """
        _check_margin(self.margin)

    def build(self, embedding_size: int, classes: int) -> nn.Module:  # noqa: ARG002 (the interface's)
        """Build the head."""
        from adapters.native.ranking_heads import MarginRankingHead

        return MarginRankingHead(embedding_size, margin=self.margin)


@dataclass(frozen=True, kw_only=True)
class RankNet:
    """The logistic loss on pairs (Burges et al., ICML 2005, equation 3)."""

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"pairs"})
    scheduled: ClassVar[tuple[str, ...]] = ()

    def build(self, embedding_size: int, classes: int) -> nn.Module:  # noqa: ARG002 (the interface's)
        """Build the head."""
        from adapters.native.ranking_heads import RankNetHead

        return RankNetHead(embedding_size)


@dataclass(frozen=True, kw_only=True)
class GhmRanking:
    """Either loss on pairs, gradient-harmonised (Li, Liu and Wang, 2019, arXiv:1811.05181).

    Attributes:
        form: `logistic`, RankNet's loss; or `margin`, the hinge.
        margin: of the hinge; its full value, if a schedule drives it.
        bins, momentum, density: of `GhmClassification`; every pair is counted.
    """

    form: Literal["logistic", "margin"] = "logistic"
    margin: float = 1.0
    bins: int = 10
    momentum: float = 0.75
    density: Density = "bins"

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"pairs", "full_batch"})
    scheduled: ClassVar[tuple[str, ...]] = ("margin",)

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: there is no such `form`, `margin` is not positive, or see `check_density`.
        """
        if self.form not in ("logistic", "margin"):
            raise ValueError(f"form must be logistic or margin, got {self.form!r}")
        _check_margin(self.margin)
        check_density(self.bins, self.momentum, self.density)

    def build(self, embedding_size: int, classes: int) -> nn.Module:  # noqa: ARG002 (the interface's)
        """Build the head."""
        from adapters.native.ranking_heads import GhmPairHead

        return GhmPairHead(embedding_size, **asdict(self))


@dataclass(frozen=True, kw_only=True)
class GhmRegression:
    """GHM-R (Li, Liu and Wang, 2019, arXiv:1811.05181): the score learns the item's grade.

    With one bin every item weighs the same: the smooth absolute error by itself.

    Attributes:
        mu: error about which the loss turns from a square to an absolute value, in standard
            deviations of the grades.
        bins, momentum, density: of `GhmClassification`.
    """

    mu: float = 0.02
    bins: int = 10
    momentum: float = 0.7
    density: Density = "bins"

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"grades", "full_batch"})
    scheduled: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: `mu` is not positive, or see `check_density`.
        """
        if self.mu <= 0:
            raise ValueError(f"mu must be positive, got {self.mu}")
        check_density(self.bins, self.momentum, self.density)

    def build(self, embedding_size: int, classes: int) -> nn.Module:  # noqa: ARG002 (the interface's)
        """Build the head."""
        from adapters.native.ranking_heads import GhmRegressionHead

        return GhmRegressionHead(embedding_size, **asdict(self))


def _check_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be positive, got {margin}")
