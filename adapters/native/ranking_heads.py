"""Heads that give an item a score to be ranked by: losses on pairs of items, or on their grades."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.harmonising import Density, Harmonising
from harness.adapter import Batch, ItemGradients, LossOutput

_LEAST_NORM = 1e-12


class Scorer(nn.Module):
    """A linear map from an embedding to one score; the higher, the earlier an item is ranked."""

    def __init__(self, embedding_size: int, *, bias: bool = False) -> None:
        """Build the map; what compares scores alone learns no bias."""
        super().__init__()
        self.scorer = nn.Linear(embedding_size, 1, bias=bias)

    def logits(self, embeddings: Tensor) -> Tensor:
        """Map `[batch, embedding_size]` to scores `[batch, 1]`."""
        scores: Tensor = self.scorer(embeddings.to(self.scorer.weight.dtype))
        return scores

    def scores(self, embeddings: Tensor) -> Tensor:
        """Map `[batch, embedding_size]` to scores `[batch]` of float32 or more."""
        scores = self.logits(embeddings).squeeze(1)
        return scores.to(torch.promote_types(scores.dtype, torch.float32))


class PairHead(Scorer, ABC):
    """A loss that is a mean over pairs of items, of how much the preferred one's score is higher.

    A batch without any pair (one item, or items of one grade) has the loss 0.
    """

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its pairs to the loss and the share in right order.

        Raises:
            ValueError: the batch has no list of pairs.
        """
        gaps = self.gaps(embeddings, batch)
        losses, statistics = self.losses(gaps) if len(gaps) else (gaps, {})
        right = right_share(gaps)
        return LossOutput(losses.sum() / max(1, len(gaps)), None, {**statistics, "Accuracy": right})

    def gaps(self, embeddings: Tensor, batch: Batch) -> Tensor:
        """Return how much each pair's preferred item scores higher, `[pairs]`.

        Raises:
            ValueError: the batch has no list of pairs.
        """
        scores = self.scores(embeddings)
        first, second = _pairs(batch).T
        return scores[first] - scores[second]

    def item_gradients(self, embeddings: Tensor, batch: Batch) -> ItemGradients:
        """Return gradient norms and weights of pairs, `[pairs]`; the plain loss is RankNet's."""
        gaps = self.gaps(embeddings, batch).double()
        norms, weighted = (-gaps).sigmoid(), self.pulls(gaps)
        return ItemGradients(norms, weighted, weighted / norms.clamp(min=_LEAST_NORM))

    @abstractmethod
    def losses(self, gaps: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of each pair, `[pairs]`, and statistics."""

    @abstractmethod
    def pulls(self, gaps: Tensor) -> Tensor:
        """Return the size of each pair's gradient on its gap, `[pairs]`."""


class MarginRankingHead(PairHead):
    """A hinge: the preferred item's score is to be higher by a margin.

    Herbrich, Graepel and Obermayer, "Large Margin Rank Boundaries for Ordinal Regression", 2000:
    max(0, margin - (s_i - s_j)).

    Attributes:
        margin: a schedule may set it before a step.
    """

    def __init__(self, embedding_size: int, *, margin: float) -> None:
        """Build the scorer."""
        super().__init__(embedding_size)
        self.margin = margin

    def losses(self, gaps: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Return the hinge of each pair, and the share of open ones."""
        hinges = functional.relu(self.margin - gaps)
        return hinges, {"active_share": float((hinges > 0).float().mean())}

    def pulls(self, gaps: Tensor) -> Tensor:
        """Return 1 for an open hinge, else 0."""
        return (gaps < self.margin).to(gaps)


class RankNetHead(PairHead):
    """The logistic loss of a pair: log(1 + exp(-(s_i - s_j))).

    Burges et al., "Learning to Rank using Gradient Descent", ICML 2005, equation 3, for a pair
    whose order is known.
    """

    def losses(self, gaps: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Return the logistic loss of each pair."""
        return functional.softplus(-gaps), {}

    def pulls(self, gaps: Tensor) -> Tensor:
        """Return the chance that is given to the wrong order."""
        return (-gaps).sigmoid()


class GhmPairHead(PairHead, Harmonising):
    """Pairs weighed by how many others have a gradient norm like theirs, over either pair loss.

    The norm is that of the pair's loss on its gap: of the logistic loss the chance of the wrong
    order, which is the paper's g of a two-class example; of the hinge 1 while it is open, else 0,
    so that open and closed hinges are all that it can tell apart.

    Attributes:
        margin: of the hinge; a schedule may set it before a step.
    """

    def __init__(
        self,
        embedding_size: int,
        *,
        form: str,
        margin: float,
        bins: int,
        momentum: float,
        density: Density,
    ) -> None:
        """Build the scorer and an empty density (see `Harmonising`)."""
        super().__init__(embedding_size)
        self.is_hinge, self.margin = form == "margin", margin
        self.begin_density(bins, momentum, density)

    def losses(self, gaps: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Return the weighed loss of each pair, and statistics of its weights."""
        weights, statistics = self.harmonise(self._norms(gaps.detach()))
        plain = functional.relu(self.margin - gaps) if self.is_hinge else functional.softplus(-gaps)
        return weights * plain, statistics

    def pulls(self, gaps: Tensor) -> Tensor:
        """Return each pair's weight times its own norm."""
        norms = self._norms(gaps)
        return self.harmonise(norms)[0] * norms

    def _norms(self, gaps: Tensor) -> Tensor:
        if self.is_hinge:
            # A gap that is no number has no open hinge to be seen by: it stays one.
            return torch.where(gaps.isnan(), gaps, (gaps < self.margin).to(gaps))
        return (-gaps).sigmoid()


class GhmRegressionHead(Scorer, Harmonising):
    """GHM-R: the score is to be the item's grade, items weighed by the rarity of their error.

    Li, Liu and Wang, 2019, arXiv:1811.05181, equations 9 to 11: the loss of an error d is
    sqrt(d ** 2 + mu ** 2) - mu, which is a smooth absolute error, and its gradient norm
    |d| / sqrt(d ** 2 + mu ** 2) lies in 0..1.
    """

    def __init__(
        self, embedding_size: int, *, mu: float, bins: int, momentum: float, density: Density
    ) -> None:
        """Build the scorer and an empty density (see `Harmonising`)."""
        super().__init__(embedding_size, bias=True)
        self.mu = mu
        self.begin_density(bins, momentum, density)

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map `[batch, embedding_size]` and its grades to the loss.

        Raises:
            ValueError: the batch has no grades.
        """
        scores = self.scores(embeddings)
        reach, norms = self._reach_and_norms(scores, batch)
        weights, statistics = self.harmonise(norms.detach())
        if batch.pairs is not None:
            first, second = batch.pairs.T
            statistics["Accuracy"] = right_share(scores.detach()[first] - scores.detach()[second])
        return LossOutput((weights * (reach - self.mu)).mean(), None, statistics)

    def item_gradients(self, embeddings: Tensor, batch: Batch) -> ItemGradients:
        """Return gradient norms and weights of items; the plain loss weighs all alike."""
        _, norms = self._reach_and_norms(self.scores(embeddings).double(), batch)
        weights, _ = self.harmonise(norms)
        return ItemGradients(norms, weights * norms, weights)

    def _reach_and_norms(self, scores: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        if batch.grades is None:
            raise ValueError("a loss on grades needs a dataset whose items have them (rank_by)")
        error = scores - batch.grades.to(scores)
        reach = (error.square() + self.mu**2).sqrt()
        return reach, error.abs() / reach


def right_share(gaps: Tensor) -> float:
    """Return the share of pairs in the right order, a tie counting half; 1 if there are none."""
    right = (gaps > 0).double() + (gaps == 0).double() / 2
    return float(right.mean()) if len(right) else 1.0


def _pairs(batch: Batch) -> Tensor:
    if batch.pairs is None:
        raise ValueError("a loss on pairs needs a dataset whose items are graded (rank_by)")
    return batch.pairs
