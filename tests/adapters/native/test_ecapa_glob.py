"""ECAPA-TDNN with global context against what WeSpeaker's computes, on weights of key names."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from adapters.native.attentive_pooling import AttentiveStatisticsPooling, weighted_statistics
from adapters.native.ecapa_glob import EcapaTdnnGlob
from tests.adapters.native.upstream import (
    INPUTS,
    error,
    fixture,
    parameter_count,
    shapes,
    with_upstream_weights,
)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return fixture("ecapa_tdnn_glob_c512")


@pytest.fixture(scope="module")
def network() -> EcapaTdnnGlob:
    return with_upstream_weights(EcapaTdnnGlob())


def test_state_dict_has_the_published_keys_and_shapes(
    network: EcapaTdnnGlob, expected: dict[str, Any]
) -> None:
    assert shapes(network) == expected["keys"]


@pytest.mark.parametrize(("channels", "count"), [(512, 6_190_720), (1024, 14_657_088)])
def test_parameter_count_is_the_published_one(channels: int, count: int) -> None:
    with torch.device("meta"):
        network = EcapaTdnnGlob(channels=channels)
    assert parameter_count(network) == count


@pytest.mark.parametrize("which", sorted(INPUTS))
def test_embeddings_are_the_upstream_ones(
    network: EcapaTdnnGlob, expected: dict[str, Any], which: str
) -> None:
    assert error(network, expected, which) < 1e-4


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    network = EcapaTdnnGlob(bins=20, channels=32, aggregated=48, embedding_size=16)
    embeddings = network(torch.randn(4, 40, 20))
    (embeddings * torch.randn_like(embeddings)).sum().backward()
    gradients = {key: parameter.grad for key, parameter in network.named_parameters()}
    # A shift of all scores alike leaves the softmax as it is: its true gradient is zero.
    del gradients["pool.linear2.bias"]
    unreached = [key for key, grad in gradients.items() if grad is None or not bool(grad.any())]
    assert unreached == []


def test_too_short_an_utterance_is_refused(network: EcapaTdnnGlob) -> None:
    with pytest.raises(ValueError, match="too short"):
        network(torch.zeros(1, 1, 80))


def test_groups_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="100 channels cannot be cut into 8 groups"):
        EcapaTdnnGlob(channels=100)


def test_equal_weights_give_plain_statistics() -> None:
    frames = torch.randn(2, 3, 50, generator=torch.Generator().manual_seed(0))
    deviation, mean = torch.std_mean(frames, dim=-1, correction=0)
    pooled = weighted_statistics(frames, torch.full_like(frames, 1 / 50))
    assert torch.allclose(pooled, torch.cat((mean, deviation), dim=1), atol=1e-6)


def test_context_is_the_same_as_if_put_beside_every_frame() -> None:
    torch.manual_seed(0)
    pooling = AttentiveStatisticsPooling(6, bottleneck=4, global_context=True)
    frames = torch.randn(2, 6, 30)
    deviation, mean = torch.std_mean(frames, dim=-1, keepdim=True)
    beside = torch.cat((frames, mean.expand_as(frames), deviation.expand_as(frames)), dim=1)
    scores = pooling.linear2(torch.tanh(pooling.linear1(beside)))
    expected = weighted_statistics(frames, torch.softmax(scores, dim=-1))
    assert torch.allclose(pooling(frames), expected, atol=1e-6)


def test_a_constant_channel_has_a_finite_gradient() -> None:
    frames = torch.ones(1, 2, 8, requires_grad=True)
    weighted_statistics(frames, torch.full((1, 2, 8), 1 / 8)).sum().backward()
    assert frames.grad is not None
    assert bool(frames.grad.isfinite().all())
