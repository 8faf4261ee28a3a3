"""Parameters and multiply-adds against figures known from elsewhere."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from adapters.speechbrain import EcapaTdnn
from harness.measure.cost import multiply_adds, parameters


def test_ecapa_costs_what_is_published() -> None:
    trunk = EcapaTdnn(channels=512).build()
    assert parameters(trunk) == 6_194_048
    assert multiply_adds(trunk, torch.zeros(1, 200, 80)) == pytest.approx(1.037e9, rel=1e-3)


def test_a_linear_layer_costs_its_weights() -> None:
    assert multiply_adds(nn.Linear(30, 20), torch.zeros(1, 30)) == 600
    assert multiply_adds(nn.Linear(30, 20), torch.zeros(7, 30)) == 7 * 600


def test_a_convolution_costs_its_kernel_at_every_place() -> None:
    layer = nn.Conv2d(3, 8, 5, padding=2, bias=False)
    assert multiply_adds(layer, torch.zeros(1, 3, 10, 12)) == 3 * 8 * 5 * 5 * 10 * 12


class Attention(nn.Module):
    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return nn.functional.scaled_dot_product_attention(rows, rows, rows)


def test_attention_costs_its_two_products() -> None:
    assert multiply_adds(Attention(), torch.zeros(1, 4, 50, 6)) == 2 * 4 * 50 * 50 * 6


def test_counting_leaves_the_network_as_it_was() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout())
    network.train()
    network[1].eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    multiply_adds(network, torch.randn(1, 4))
    assert [part.training for part in network] == [True, False, True]
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


def test_modes_come_back_after_a_failure() -> None:
    network = nn.Linear(4, 4).train()
    with pytest.raises(RuntimeError):
        multiply_adds(network, torch.zeros(1, 5))
    assert network.training
