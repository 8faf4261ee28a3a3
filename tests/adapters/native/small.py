"""Native networks that train in stretches, small enough for double precision."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from adapters.native.campplus import CamPlusPlusBackbone
from adapters.native.eres2net import ERes2NetBackbone, ERes2NetV2Backbone
from adapters.native.recomputation import Keeps, keep

BINS, FRAMES, SIZE = 24, 50, 16
# CAM++ with a front end of 8 channels would crash oneDNN 3.12: a strided 1x1 convolution.
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "campplus": lambda: CamPlusPlusBackbone(
        bins=BINS,
        embedding_size=SIZE,
        front_channels=16,
        channels=16,
        growth=8,
        bottleneck=16,
        blocks=(2, 3, 2),
        segment=20,
    ),
    "eres2net": lambda: ERes2NetBackbone(bins=BINS, embedding_size=SIZE, channels=8),
    "eres2net_v2": lambda: ERes2NetV2Backbone(bins=BINS, embedding_size=SIZE, channels=16, scale=3),
}


def small(name: str, keeps: Keeps, dtype: torch.dtype = torch.float64) -> nn.Module:
    """The network in training mode, with the weights of one seed."""
    torch.manual_seed(0)
    return keep(NETWORKS[name](), keeps).to(dtype).train()


def features(dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(4, FRAMES, BINS, dtype=torch.float64, generator=generator).to(dtype)


def weighed(embeddings: Tensor) -> Tensor:
    """A loss whose gradient differs from embedding to embedding."""
    generator = torch.Generator().manual_seed(2)
    return (embeddings * torch.randn(4, SIZE, generator=generator)).sum()


def gradients(network: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    parameters = dict(network.named_parameters())
    found = torch.autograd.grad(loss, list(parameters.values()))
    return dict(zip(parameters, found, strict=True))


def farthest(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """The largest difference, over the largest value of all."""
    assert found.keys() == wanted.keys()
    largest = max(float(value.abs().max()) for value in wanted.values())
    return max(float((found[key] - wanted[key]).abs().max()) for key in wanted) / largest
