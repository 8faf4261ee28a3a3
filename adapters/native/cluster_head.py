"""The head of unsupervised clustering: clusters of an epoch, and contrasts of a step."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from adapters.native.trusted_items import cluster, kept_clusters, trusted
from harness.adapter import Assigned, Batch, LossOutput

_SEEDS = 2**31 - 1


class ClusterHead(nn.Module):
    """A projection whose views, and trusted clusters, are contrasted.

    Attributes:
        temperature, cluster_temperature: schedules may set them.
    """

    centres: Tensor
    used: Tensor
    rounds: Tensor

    def __init__(
        self,
        embedding_size: int,
        *,
        thres: float,
        delta: float,
        least: int,
        pretrain: float,
        temperature: float,
        cluster_temperature: float,
        size: int,
        clusters: int,
        estimate: bool,
    ) -> None:
        """Build the projection; `clusters` is their number, or the most that an estimate tries."""
        super().__init__()
        self.temperature, self.cluster_temperature = temperature, cluster_temperature
        self._thres, self._delta, self._least = thres, delta, least
        self._pretrain, self._estimate = pretrain, estimate
        self.project = nn.Sequential(
            nn.Linear(embedding_size, embedding_size),
            nn.GELU(),
            nn.Linear(embedding_size, size),
        )
        # The first `used` rows are centres of clusters; `rounds` counts epochs of clusters.
        self.register_buffer("centres", torch.zeros(clusters, embedding_size))
        self.register_buffer("used", torch.zeros((), dtype=torch.int64))
        self.register_buffer("rounds", torch.zeros((), dtype=torch.int64))

    def logits(self, embeddings: Tensor) -> Tensor:
        """Return the cosines of embeddings to the centres of clusters, `[batch, clusters]`."""
        centres = functional.normalize(self.centres.float())
        return functional.normalize(embeddings.float()) @ centres.T

    def assign(self, embeddings: Tensor, progress: float) -> Assigned:
        """Cluster all items, and trust the densest (see `harness.adapter.AssigningHead`)."""
        points = functional.normalize(embeddings.float()).cpu().double().numpy()
        statistics = {"used_dimensions": _used_dimensions(points)}
        if progress < self._pretrain:
            nothing = torch.zeros(len(points))
            return Assigned(nothing.long(), nothing, {**statistics, "trusted_share": 0.0})
        seed = int(torch.randint(_SEEDS, ()))
        labels, centres = cluster(points, self._start(points, seed), seed)
        self.centres[: len(centres)] = torch.from_numpy(centres).to(self.centres)
        self.used.fill_(len(centres))
        share = min(1.0, self._thres + self._delta * int(self.rounds))
        self.rounds += 1
        chosen = trusted(points, labels, share, self._least)
        statistics |= {"trusted_share": float(chosen.mean()), "trust_threshold": share}
        return Assigned(
            torch.from_numpy(labels),
            torch.from_numpy(chosen.astype(np.float32)),
            {**statistics, "clusters": float(len(centres))},
            {
                "cluster_counts": (_counts(labels, len(centres)), ()),
                "selected_counts": (_counts(labels[chosen], len(centres)), ()),
            },
        )

    def _start(self, points: NDArray[np.float64], seed: int) -> NDArray[np.float64] | int:
        """Return the centres of the epoch before, or how many clusters there are to be."""
        if used := int(self.used):
            return self.centres[:used].cpu().double().numpy()
        most = len(self.centres)
        return kept_clusters(points, most, seed) if self._estimate else most

    def forward(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map the views of a batch, `[views, embedding_size]`, to the mean loss over views.

        Raises:
            ValueError: the batch names no pairs of views.
        """
        if batch.pairs is None:
            raise ValueError("clusters are learnt from pairs of views; the batch names none")
        count = len(embeddings)
        kept = functional.normalize(self.project(embeddings).float())
        views = torch.zeros(count, count, dtype=torch.bool, device=kept.device)
        views[batch.pairs[:, 0], batch.pairs[:, 1]] = True
        views |= views.T.clone()
        if batch.assigned is None:
            loss = contrast(kept, views, torch.ones_like(views), self.temperature).mean()
            return LossOutput(loss, None, {"contrast_loss": float(loss.detach())})
        trust = batch.assigned.weights > 0
        apart = trust.unsqueeze(0) == trust.unsqueeze(1)
        of_views = contrast(kept, views, apart, self.temperature)
        same = batch.assigned.targets.unsqueeze(0) == batch.assigned.targets.unsqueeze(1)
        of_clusters = contrast(kept, views | same, apart, self.cluster_temperature)
        losses = torch.where(trust, of_clusters, of_views)
        statistics = {}
        for name, own, every in (
            ("contrast_loss", ~trust, of_views),
            ("cluster_loss", trust, of_clusters),
        ):
            if own.any():
                statistics[name] = float(every[own].mean().detach())
        return LossOutput(losses.mean(), None, statistics)


def contrast(points: Tensor, alike: Tensor, against: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrast of each point, `[points]`.

    Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020, equation 2 (L_out); with one
    point alike it is NT-Xent (Chen et al., 2020).

    Args:
        points: unit vectors, `[points, size]`.
        alike: which are drawn together, `[points, points]`; what is not in `against` is none.
        against: which a point is contrasted with, `[points, points]`; itself never.
        temperature: divides the cosines.
    """
    itself = torch.eye(len(points), dtype=torch.bool, device=points.device)
    against = against & ~itself
    alike = alike & against
    scores = (points @ points.T) / temperature
    # A row against which nothing stands would be NaN in its gradient, too.
    lonely = ~against.any(dim=1, keepdim=True)
    scores = scores.masked_fill(~(against | lonely), -torch.inf)
    logs = functional.log_softmax(scores, dim=1).masked_fill(~alike, 0.0)
    return -logs.sum(dim=1) / alike.sum(dim=1).clamp_min(1)


def _counts(labels: NDArray[np.int64], clusters: int) -> list[float]:
    return [float(count) for count in np.bincount(labels, minlength=clusters)]


def _used_dimensions(points: NDArray[np.float64]) -> float:
    """Return the participation ratio of the covariance's eigenvalues, over the dimensions.

    1 if all directions vary alike, 1 over the dimensions if one varies alone.
    """
    gaps = points - points.mean(axis=0)
    covariance = gaps.T @ gaps
    trace, squares = float(np.trace(covariance)), float(np.square(covariance).sum())
    return trace**2 / squares / len(covariance) if squares > 0 else 0.0
