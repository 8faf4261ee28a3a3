"""The native networks against what WeSpeaker's own compute, on weights made from key names."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

from adapters.native.campplus import CamPlusPlus
from adapters.native.eres2net import ERes2Net

FIXTURES = Path(__file__).parent / "parity"
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "campplus": CamPlusPlus,
    "eres2net34_base": ERes2Net,
}
# Biases that the batch normalisation after them takes out again: their true gradient is zero.
CANCELLED = ("local_att.0.bias", "local_att.3.bias")
INPUTS = {"embedding_200": (7, (3, 200, 80)), "embedding_331": (8, (1, 331, 80))}


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def fixture(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    network = NETWORKS[name]()
    network.load_state_dict(weights(network.state_dict()))
    return network.eval()


def weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        key: torch.from_numpy(weight(key, tuple(value.shape))).reshape(value.shape)
        if value.is_floating_point()
        else value
        for key, value in state.items()
    }


def weight(key: str, shape: tuple[int, ...]) -> numpy.ndarray[Any, Any]:
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    normal = numpy.random.default_rng(seed).standard_normal(shape).astype(numpy.float32)
    if key.endswith("running_var"):
        return 1 + 0.2 * abs(normal)
    if key.endswith(("running_mean", "bias")):
        return 0.1 * normal
    if len(shape) == 1:
        return 1 + 0.1 * normal
    return normal * numpy.float32(1 / math.sqrt(math.prod(shape[1:])))


def features(seed: int, shape: tuple[int, ...]) -> Tensor:
    values = numpy.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(values.astype(numpy.float32))


def parameter_count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def reached(key: str, gradient: Tensor | None) -> bool:
    if gradient is None or not bool(gradient.isfinite().all()):
        return False
    return key.endswith(CANCELLED) or bool(gradient.any())


def relative_error(actual: Tensor, expected: Tensor) -> float:
    return float((actual - expected).abs().max() / expected.abs().max())


def test_state_dict_has_the_published_keys_and_shapes(
    network: nn.Module, fixture: dict[str, Any]
) -> None:
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert shapes == fixture["keys"]


def test_parameter_count_is_the_published_one(network: nn.Module, fixture: dict[str, Any]) -> None:
    assert parameter_count(network) == fixture["parameters"]


@pytest.mark.parametrize(
    ("build", "count"),
    [
        pytest.param(lambda: CamPlusPlus(embedding_size=192), 6_848_544, id="campplus-192"),
        pytest.param(lambda: ERes2Net(embedding_size=192), 6_610_688, id="eres2net-base-192"),
        pytest.param(
            lambda: ERes2Net(embedding_size=192, channels=64), 22_462_784, id="eres2net-large-192"
        ),
    ],
)
def test_parameter_count_of_other_sizes(build: Callable[[], nn.Module], count: int) -> None:
    with torch.device("meta"):
        assert parameter_count(build()) == count


@pytest.mark.parametrize("which", sorted(INPUTS))
def test_embeddings_are_the_upstream_ones(
    network: nn.Module, fixture: dict[str, Any], which: str
) -> None:
    with torch.inference_mode():
        actual = network(features(*INPUTS[which]))
    assert relative_error(actual, torch.tensor(fixture[which])) < 1e-4


def test_evaluation_does_not_mix_utterances(network: nn.Module) -> None:
    batch = features(9, (3, 120, 80))
    with torch.inference_mode():
        together = network(batch)
        alone = torch.cat([network(utterance.unsqueeze(0)) for utterance in batch])
    assert relative_error(together, alone) < 1e-5


def test_gradients_reach_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]().train()
    embeddings = network(features(10, (4, 64, 80)))
    # A plain sum would vanish after a last batch normalisation, whose outputs sum to zero.
    (embeddings * torch.randn_like(embeddings)).sum().backward()
    unreached = [
        key for key, parameter in network.named_parameters() if not reached(key, parameter.grad)
    ]
    assert unreached == []


def test_too_short_an_utterance_is_refused(network: nn.Module) -> None:
    with pytest.raises(ValueError, match="too short"):
        network(torch.zeros(1, 1, 80))
