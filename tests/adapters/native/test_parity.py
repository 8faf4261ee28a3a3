"""The native networks against what upstream's own compute, on weights made from key names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adapters.native.campplus import CamPlusPlusBackbone
from adapters.native.ecapa_glob import EcapaGlobBackbone
from adapters.native.eres2net import ERes2NetBackbone, ERes2NetV2Backbone
from adapters.native.redimnet2 import SIZES, ReDimNet2Backbone
from adapters.native.resnet import AttentiveResNet, ResNet
from adapters.native.simam_resnet import SimAmResNet
from adapters.native.xvector import XVectorBackbone
from tests.adapters.native.upstream import (
    INPUTS,
    error,
    example,
    fixture,
    normal,
    parameter_count,
    shapes,
    with_upstream_weights,
)

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "campplus": CamPlusPlusBackbone,
    "ecapa_tdnn_glob_c512": EcapaGlobBackbone,
    "eres2net34_base": ERes2NetBackbone,
    "eres2net_v2": ERes2NetV2Backbone,
    "redimnet2_b0": lambda: ReDimNet2Backbone(SIZES["b0"]),
    "redimnet2_b1_normalised": lambda: ReDimNet2Backbone(SIZES["b1"], group_norm=True),
    "redimnet2_b2": lambda: ReDimNet2Backbone(SIZES["b2"]),
    "redimnet2_b3": lambda: ReDimNet2Backbone(SIZES["b3"]),
    "resnet34": ResNet,
    "resnet34_astp": lambda: AttentiveResNet(pooling="astp"),
    "resnet34_mqmhastp": lambda: AttentiveResNet(pooling="mqmhastp"),
    "simam_resnet34": SimAmResNet,
    "xvector": XVectorBackbone,
    "xvector_astp": lambda: XVectorBackbone(pooling="astp"),
}
SMALL: dict[str, Callable[[], nn.Module]] = {
    "campplus": lambda: CamPlusPlusBackbone(
        bins=24, channels=32, blocks=(2, 2, 2), embedding_size=8
    ),
    "ecapa_tdnn_glob_c512": lambda: EcapaGlobBackbone(
        bins=24, channels=32, aggregated=48, embedding_size=16
    ),
    "eres2net34_base": lambda: ERes2NetBackbone(bins=24, channels=16, embedding_size=8),
    "eres2net_v2": lambda: ERes2NetV2Backbone(bins=24, channels=16, scale=3, embedding_size=8),
}
# Biases that the batch normalisation after them takes out again, or that shift all scores of a
# softmax alike: their true gradient is zero.
CANCELLED = ("local_att.0.bias", "local_att.3.bias", "pool.linear2.bias")

# Their poolings weigh a single frame by one, and take its deviation for the floor's.
ONE_FRAME_WILL_DO = ("resnet34_astp", "resnet34_mqmhastp", "simam_resnet34")


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def expected(name: str) -> dict[str, Any]:
    return fixture(name)


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    return with_upstream_weights(NETWORKS[name]())


def reached(key: str, gradient: Tensor | None) -> bool:
    if gradient is None or not bool(gradient.isfinite().all()):
        return False
    return key.endswith(CANCELLED) or bool(gradient.any())


def test_state_dict_has_the_published_keys_and_shapes(
    network: nn.Module, expected: dict[str, Any]
) -> None:
    assert shapes(network) == expected["keys"]


def test_parameter_count_is_the_published_one(network: nn.Module, expected: dict[str, Any]) -> None:
    assert parameter_count(network) == expected["parameters"]


@pytest.mark.parametrize("which", sorted(INPUTS))
def test_embeddings_are_the_upstream_ones(
    network: nn.Module, expected: dict[str, Any], which: str
) -> None:
    assert error(network, expected, which) < 1e-4


def test_evaluation_does_not_mix_utterances(network: nn.Module, expected: dict[str, Any]) -> None:
    batch = example(expected, 9, (3, 120, 80))
    with torch.inference_mode():
        together = network(batch)
        alone = torch.cat([network(utterance.unsqueeze(0)) for utterance in batch])
    assert float((together - alone).abs().max() / alone.abs().max()) < 1e-5


def test_too_short_an_utterance_is_refused(name: str, network: nn.Module) -> None:
    if name in ONE_FRAME_WILL_DO:
        assert bool(network(torch.zeros(1, 1, 80)).isfinite().all())
        return
    with pytest.raises(ValueError, match="too short"):
        network(torch.zeros(1, 1, 80))


@pytest.mark.parametrize("name", sorted(SMALL))
def test_gradients_reach_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    network = SMALL[name]().train()
    embeddings = network(normal(10, (4, 64, 24)))
    # A plain sum would vanish after a last batch normalisation, whose outputs sum to zero.
    (embeddings * torch.randn_like(embeddings)).sum().backward()
    unreached = [
        key for key, parameter in network.named_parameters() if not reached(key, parameter.grad)
    ]
    assert unreached == []
