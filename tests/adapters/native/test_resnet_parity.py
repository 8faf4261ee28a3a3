"""The native ResNet34 against what WeSpeaker's own computes, on weights made from key names."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from adapters.native.resnet import ResNet

FIXTURE = Path(__file__).parent / "parity" / "resnet34.json"
INPUTS = {"embedding_200": (7, (3, 200, 80)), "embedding_331": (8, (1, 331, 80))}


@pytest.fixture(scope="module")
def fixture() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FIXTURE.read_text())
    return loaded


@pytest.fixture(scope="module")
def network() -> ResNet:
    network = ResNet()
    state = network.state_dict()
    network.load_state_dict({key: weight(key, value) for key, value in state.items()})
    return network.eval()


def weight(key: str, value: Tensor) -> Tensor:
    """The fixture's weight of a key (see shared/parity/README.md)."""
    if not value.is_floating_point():
        return value
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    normal = numpy.random.default_rng(seed).standard_normal(tuple(value.shape))
    z = torch.from_numpy(normal.astype(numpy.float32))
    if key.endswith("running_var"):
        return 1 + 0.2 * z.abs()
    if key.endswith(("running_mean", "bias")):
        return 0.1 * z
    return 1 + 0.1 * z if z.ndim == 1 else z / math.sqrt(math.prod(value.shape[1:]))


def test_state_dict_has_the_published_keys_and_shapes(
    network: ResNet, fixture: dict[str, Any]
) -> None:
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert shapes == fixture["keys"]


def test_parameter_count_is_the_published_one(network: ResNet, fixture: dict[str, Any]) -> None:
    assert sum(p.numel() for p in network.parameters()) == fixture["parameters"] == 6_634_336


@pytest.mark.parametrize("which", sorted(INPUTS))
def test_embeddings_are_the_upstream_ones(
    network: ResNet, fixture: dict[str, Any], which: str
) -> None:
    seed, shape = INPUTS[which]
    values = numpy.random.default_rng(seed).standard_normal(shape).astype(numpy.float32)
    expected = torch.tensor(fixture[which])
    with torch.inference_mode():
        actual = network(torch.from_numpy(values))
    assert float((actual - expected).abs().max() / expected.abs().max()) < 1e-4
