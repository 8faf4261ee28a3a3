"""ERes2NetV2 against what 3D-Speaker's own computes, on weights made from key names."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from adapters.native.eres2net_v2 import ERes2NetV2
from tests.adapters.native.upstream import (
    INPUTS,
    error,
    fixture,
    parameter_count,
    shapes,
    with_upstream_weights,
)

# Biases that the batch normalisation after them takes out again: their true gradient is zero.
CANCELLED = ("local_att.0.bias", "local_att.3.bias")


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return fixture("eres2net_v2")


@pytest.fixture(scope="module")
def network() -> ERes2NetV2:
    return with_upstream_weights(ERes2NetV2())


def test_state_dict_has_the_published_keys_and_shapes(
    network: ERes2NetV2, expected: dict[str, Any]
) -> None:
    assert shapes(network) == expected["keys"]


def test_parameter_count_is_the_published_one(
    network: ERes2NetV2, expected: dict[str, Any]
) -> None:
    assert parameter_count(network) == expected["parameters"] == 17_859_632


def test_parameter_count_of_the_wide_one() -> None:
    """3D-Speaker's w24s4ep4: groups of 24 channels, four of them, expansion 4."""
    with torch.device("meta"):
        network = ERes2NetV2(base_width=24, scale=4, expansion=4)
    assert parameter_count(network) == 53_513_632


@pytest.mark.parametrize("which", sorted(INPUTS))
def test_embeddings_are_the_upstream_ones(
    network: ERes2NetV2, expected: dict[str, Any], which: str
) -> None:
    assert error(network, expected, which) < 1e-4


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    network = ERes2NetV2(bins=24, channels=16, scale=3, embedding_size=8)
    embeddings = network(torch.randn(4, 32, 24))
    (embeddings * torch.randn_like(embeddings)).sum().backward()
    gradients = {key: parameter.grad for key, parameter in network.named_parameters()}
    unreached = [
        key
        for key, grad in gradients.items()
        if grad is None or not (key.endswith(CANCELLED) or bool(grad.any()))
    ]
    assert unreached == []


def test_bins_that_eight_does_not_divide_are_rounded_up() -> None:
    network = ERes2NetV2(bins=41, channels=16, embedding_size=8).eval()
    with torch.inference_mode():
        assert network(torch.randn(1, 9, 41)).shape == (1, 8)


def test_too_short_an_utterance_is_refused(network: ERes2NetV2) -> None:
    with pytest.raises(ValueError, match="too short"):
        network(torch.zeros(1, 8, 80))


def test_other_than_four_stages_are_refused() -> None:
    with pytest.raises(ValueError, match="four stages, got 3"):
        ERes2NetV2(blocks=(1, 1, 1))
