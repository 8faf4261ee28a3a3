"""ResNet34's attentive poolings against what WeSpeaker's compute, on weights of key names."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from adapters.native.attentive_resnet import AttentiveResNet
from adapters.native.multi_query_pooling import MultiQueryPooling
from tests.adapters.native.upstream import (
    INPUTS,
    error,
    fixture,
    parameter_count,
    shapes,
    with_upstream_weights,
)

POOLINGS: tuple[Literal["astp", "mqmhastp"], ...] = ("astp", "mqmhastp")


@pytest.fixture(scope="module", params=POOLINGS)
def pooling(request: pytest.FixtureRequest) -> Literal["astp", "mqmhastp"]:
    named: Literal["astp", "mqmhastp"] = request.param
    return named


@pytest.fixture(scope="module")
def expected(pooling: str) -> dict[str, Any]:
    return fixture(f"resnet34_{pooling}")


@pytest.fixture(scope="module")
def network(pooling: Literal["astp", "mqmhastp"]) -> AttentiveResNet:
    return with_upstream_weights(AttentiveResNet(pooling=pooling))


def test_state_dict_has_the_published_keys_and_shapes(
    network: AttentiveResNet, expected: dict[str, Any]
) -> None:
    assert shapes(network) == expected["keys"]


def test_parameter_count_is_the_upstream_one(
    network: AttentiveResNet, expected: dict[str, Any]
) -> None:
    assert parameter_count(network) == expected["parameters"]


@pytest.mark.parametrize("which", sorted(INPUTS))
def test_embeddings_are_the_upstream_ones(
    network: AttentiveResNet, expected: dict[str, Any], which: str
) -> None:
    assert error(network, expected, which) < 1e-4


def test_heads_that_do_not_divide_the_features_are_refused() -> None:
    with pytest.raises(ValueError, match="1500 features of a frame cannot be cut into 8 heads"):
        MultiQueryPooling(1500)
