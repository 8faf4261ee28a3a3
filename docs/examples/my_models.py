"""A network of one's own: mean and deviation of filterbanks, and one layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.adapter import Fbank

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class StatisticsPooling:
    """Mean and standard deviation of each mel bin over time, then one linear layer.

    Attributes:
        bins: mel bins of the filterbank.
        embedding_size: length of the embedding.
    """

    bins: int = 40
    embedding_size: int = 64

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: a field is not positive.
        """
        if self.bins < 1 or self.embedding_size < 1:
            raise ValueError(f"bins and embedding_size must be positive, got {self}")

    def inputs(self) -> Fbank:
        """Return the input that the network wants: `[batch, frames, bins]`."""
        return Fbank(bins=self.bins, subtract_mean=False, least_frames=2)

    def build(self) -> nn.Module:
        """Return the network: `[batch, frames, bins]` -> `[batch, embedding_size]`."""
        import torch
        from torch import nn

        class Pooling(nn.Module):
            def __init__(self, bins: int, size: int) -> None:
                super().__init__()
                self.layer = nn.Linear(2 * bins, size)

            def forward(self, features: torch.Tensor) -> torch.Tensor:
                deviation, mean = torch.std_mean(features, dim=1)
                return self.layer(torch.cat([mean / 10, deviation], dim=1))

        return Pooling(self.bins, self.embedding_size)
