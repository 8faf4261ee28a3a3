"""Losses that learn clusters without labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class UnsupervisedClustering:
    """Contrast of views, then of clusters whose densest items are trusted (UMC).

    Zhang, Xu, Wang, Li and Gao, "Unsupervised Multimodal Clustering for Semantics Discovery in
    Multimodal Utterances", ACL 2024, arXiv:2405.12775, written from the paper. While a share of the
    training has passed, views of one turn are drawn together (NT-Xent). From then on each epoch
    clusters all turns by k-means, begun at the centres before; in each cluster the densest turns
    are trusted, `thres` of them at first and `delta` more each epoch. Trusted turns of a cluster
    are drawn together, and the others' views as before. Labels are not looked at.

    Unlike the published code, trusted turns and the others share a step; a loss is the mean over
    the views of both.

    Attributes:
        thres: share of each cluster that is trusted in the first epoch of clusters.
        delta: by which it grows with each epoch, to 1.
        least: turns of a cluster that are trusted at least, if it has so many.
        pretrain: share of the training that passes before the first clusters.
        temperature: of the contrast of views.
        cluster_temperature: of the contrast of clusters.
        size: of the projection that is contrasted.
        clusters: how many; 0 is one for each label of the training split.
        estimate: take so many clusters and keep those of at least mean size (Zhang et al., "Deep
            Aligned Clustering", AAAI 2021, equation 3), instead of taking the number as given.
    """

    thres: float = 0.1
    delta: float = 0.05
    least: int = 10
    pretrain: float = 0.3
    temperature: float = 0.2
    cluster_temperature: float = 0.2
    size: int = 128
    clusters: int = 0
    estimate: bool = False

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"views", "epoch_embeddings", "full_batch"})
    scheduled: ClassVar[tuple[str, ...]] = ("temperature", "cluster_temperature")

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: one is out of its range.
        """
        for name in ("thres", "delta", "pretrain"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in 0..1, got {getattr(self, name)}")
        if self.temperature <= 0 or self.cluster_temperature <= 0:
            raise ValueError("temperatures must be positive")
        if self.least < 0 or self.size < 1 or self.clusters < 0 or self.clusters == 1:
            raise ValueError("least must not be negative, size at least 1, clusters 0 or above 1")

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head."""
        from adapters.native.cluster_head import ClusterHead

        fields = {**asdict(self), "clusters": self.clusters or max(2, classes)}
        return ClusterHead(embedding_size, **fields)
