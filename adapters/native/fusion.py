"""Fusion of a turn's modalities, each pass in training a view of its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class FusionTrunk(nn.Module):
    """Pools, projects and fuses modalities: `[batch, frames, size]` -> `[batch, base_dim]`.

    The embedding has mean 0 and variance 1 over its dimensions: Euclidean distances are those of
    directions.

    Args:
        sizes: length of each modality's vector, in their order in the input; 0 if it is absent.
        base_dim: size of projections, fusion and embedding.
        dropout, word_dropout, feature_dropout, modality_dropout, anchor: as of
            `adapters.dialogue.Fusion`.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        *,
        base_dim: int,
        dropout: float,
        word_dropout: float,
        feature_dropout: float,
        modality_dropout: float,
        anchor: str,
    ) -> None:
        super().__init__()
        self._sizes = [size for size in sizes.values() if size]
        names = [name for name, size in sizes.items() if size]
        self._anchor = names.index(anchor) if anchor in names else None
        self._word_dropout, self._modality_dropout = word_dropout, modality_dropout
        self.scale = nn.ModuleList(
            nn.LayerNorm(size, elementwise_affine=False) for size in self._sizes
        )
        self.features = nn.Dropout(feature_dropout)
        self.project = nn.ModuleList(nn.Linear(size, base_dim) for size in self._sizes)
        self.fuse = nn.Sequential(
            nn.Linear(base_dim * len(self._sizes), base_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(base_dim, base_dim),
            nn.LayerNorm(base_dim, elementwise_affine=False),
        )

    def forward(self, turns: Tensor) -> Tensor:
        """Map turns to embeddings."""
        kept = self._modalities(len(turns), turns.device)
        parts = []
        for place, sequence in enumerate(torch.split(turns, self._sizes, dim=-1)):
            vector = self.features(self.scale[place](self._pool(sequence)))
            # As in the paper, what is left away is zeros before it is projected.
            projected = torch.tanh(self.project[place](vector * kept[:, place, None]))
            parts.append(projected)
        fused: Tensor = self.fuse(torch.cat(parts, dim=-1))
        return fused

    def _pool(self, sequence: Tensor) -> Tensor:
        """Average the frames of a modality that are not zeros, in training some of them."""
        there = sequence.abs().amax(dim=-1) > 0
        if self.training and self._word_dropout and sequence.shape[1] > 1:
            stays = there & (torch.rand(there.shape, device=there.device) >= self._word_dropout)
            there = torch.where(stays.any(dim=1, keepdim=True), stays, there)
        weights = there.to(sequence.dtype)
        count = weights.sum(dim=1, keepdim=True).clamp_min(1)
        return (sequence * weights.unsqueeze(-1)).sum(dim=1) / count

    def _modalities(self, batch: int, device: torch.device) -> Tensor:
        """Return which modalities a view keeps, one at least: a mask `[batch, modalities]`."""
        count = len(self._sizes)
        kept = torch.ones(batch, count, device=device)
        if not self.training or count == 1 or not self._modality_dropout:
            return kept
        kept = (torch.rand(batch, count, device=device) >= self._modality_dropout).float()
        chosen = torch.randint(count, (batch,), device=device)
        if self._anchor is not None:
            chosen = torch.full_like(chosen, self._anchor)
        one = (torch.arange(count, device=device) == chosen.unsqueeze(1)).float()
        if self._anchor is not None:
            return torch.maximum(kept, one)
        return torch.where(kept.any(dim=1, keepdim=True), kept, one)
