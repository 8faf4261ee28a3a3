"""The x-vector network against what WeSpeaker's own computes, on weights made from key names."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch

from adapters.native.xvector import XVector
from tests.adapters.native.upstream import (
    INPUTS,
    error,
    fixture,
    parameter_count,
    shapes,
    with_upstream_weights,
)

POOLINGS: dict[str, Literal["tstp", "astp"]] = {"xvector": "tstp", "xvector_astp": "astp"}


@pytest.fixture(scope="module", params=sorted(POOLINGS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def expected(name: str) -> dict[str, Any]:
    return fixture(name)


@pytest.fixture(scope="module")
def network(name: str) -> XVector:
    return with_upstream_weights(XVector(pooling=POOLINGS[name]))


def test_state_dict_has_the_published_keys_and_shapes(
    network: XVector, expected: dict[str, Any]
) -> None:
    assert shapes(network) == expected["keys"]


def test_parameter_count_is_the_published_one(network: XVector, expected: dict[str, Any]) -> None:
    assert parameter_count(network) == expected["parameters"]


@pytest.mark.parametrize("which", sorted(INPUTS))
def test_embeddings_are_the_upstream_ones(
    network: XVector, expected: dict[str, Any], which: str
) -> None:
    assert error(network, expected, which) < 1e-4


def test_the_shortest_utterance_is_embedded(network: XVector) -> None:
    with torch.inference_mode():
        assert bool(network(torch.zeros(1, 16, 80)).isfinite().all())


@pytest.mark.parametrize("frames", [1, 14, 15])
def test_too_short_an_utterance_is_refused(network: XVector, frames: int) -> None:
    with pytest.raises(ValueError, match=f"at least 16 frames, got {frames}.*too short"):
        network(torch.zeros(1, frames, 80))
