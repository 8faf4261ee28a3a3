"""Networks of timm by their adapters."""

from __future__ import annotations

import pytest
import torch

from adapters.timm import Timm, TimmSpectrogram


@pytest.mark.parametrize(
    ("network", "size"),
    [
        ("efficientnet_b0", 1280),
        ("efficientnet_b2", 1408),
        ("resnet10t", 512),
        ("mobilenetv3_small_050", 1024),
        ("vit_tiny_patch16_224", 192),
    ],
)
def test_embedding_size_is_known_before_building(network: str, size: int) -> None:
    assert Timm(network=network, channels=1).embedding_size == size


def test_asking_the_embedding_size_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    assert TimmSpectrogram(bins=48).embedding_size == 512
    assert torch.equal(before, torch.get_rng_state())


def test_drop_rates_reach_the_network() -> None:
    trunk = Timm(network="efficientnet_b0", size=32, dropout=0.5, drop_path=0.3).build()
    assert trunk.drop_rate == 0.5
    rates = [m.drop_prob for m in trunk.modules() if type(m).__name__ == "DropPath"]
    assert max(rates) == pytest.approx(0.3, abs=0.05)


def test_an_unknown_network_is_refused_with_what_is_near() -> None:
    with pytest.raises(ValueError, match=r"no network 'efficientnet_b99'; near it: .*efficientnet"):
        Timm(network="efficientnet_b99").build()
