"""Bytes a crop of 200 frames that training keeps, against what upstream's networks keep."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from adapters.native.campplus import CamPlusPlusBackbone
from adapters.native.eres2net import ERes2NetBackbone, ERes2NetV2Backbone
from adapters.native.recomputation import keep
from tests.adapters.native.saved_bytes import saved_mebibytes

# WeSpeaker's networks, float32, measured in the same way.
UPSTREAM = {CamPlusPlusBackbone: 53.7, ERes2NetBackbone: 223.0}
Network = type[CamPlusPlusBackbone | ERes2NetBackbone | ERes2NetV2Backbone]


def kept(network: nn.Module) -> float:
    return saved_mebibytes(network, torch.randn(2, 200, 80))


@pytest.mark.parametrize(
    ("network", "share"), [(CamPlusPlusBackbone, 0.4), (ERes2NetBackbone, 0.5)]
)
def test_a_share_of_what_upstream_keeps(network: Network, share: float) -> None:
    assert kept(network()) < share * UPSTREAM[network]


@pytest.mark.parametrize(
    ("network", "most"), [(CamPlusPlusBackbone, 9.0), (ERes2NetBackbone, 40.0)]
)
def test_checkpointing_keeps_far_less(network: Network, most: float) -> None:
    assert kept(network(checkpointing=True)) < most


@pytest.mark.parametrize("network", [CamPlusPlusBackbone, ERes2NetBackbone])
def test_plain_autograd_keeps_about_what_upstream_does(network: Network) -> None:
    assert 0.9 < kept(keep(network(), "everything")) / UPSTREAM[network] < 1


def test_eres2net_v2_keeps_as_little() -> None:
    plain, lean, checkpointing = (
        kept(network)
        for network in (
            keep(ERes2NetV2Backbone(), "everything"),
            ERes2NetV2Backbone(),
            ERes2NetV2Backbone(checkpointing=True),
        )
    )
    assert lean < 0.55 * plain
    assert checkpointing < 0.2 * plain


def test_a_storage_counts_once_and_weights_do_not() -> None:
    network = nn.Linear(1000, 1000, bias=False)
    features = torch.randn(4, 1000, requires_grad=True)
    assert saved_mebibytes(network, features) == 4000 / 2**20
