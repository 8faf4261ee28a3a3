"""What autograd saves is moved once, comes back as it was, and weights stay."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.train.host_tensors import LEAST, Bring, HostTensors


class Noted(HostTensors):
    """Copies, and notes what."""

    def __init__(self, stays: list[Tensor]) -> None:
        super().__init__(stays)
        self.moved: list[Tensor] = []

    def move(self, tensor: Tensor) -> Bring:
        copy = tensor.clone()
        self.moved.append(copy)
        return lambda: copy


def leaf(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(len(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)


def test_what_two_operations_save_is_moved_once():
    values, kept = leaf(LEAST), Noted([])
    with kept.hooks():
        hidden = values * 2.0
        result = (hidden.sin() + hidden.cos()).sum()
    assert len(kept.moved) == 1
    assert kept.bytes == 8 * LEAST
    result.backward()
    doubled = 2 * values.detach()
    assert torch.allclose(values.grad, 2 * (doubled.cos() - doubled.sin()))


def test_what_was_changed_in_place_is_moved_again():
    values, kept = leaf(LEAST), Noted([])
    with kept.hooks():
        hidden = values * 1.0
        one = hidden.sin().sum()
        hidden.add_(1.0)
        other = hidden.sin().sum()
    (one + other).backward()
    raw = values.detach()
    assert torch.allclose(values.grad, raw.cos() + (raw + 1).cos())


def test_weights_small_tensors_and_repeated_ones_stay():
    weight, values = leaf(64, 64), leaf(64, 64)
    kept = Noted([weight])
    with kept.hooks():
        repeated = leaf(64, 1)[:1].expand(64, 64)
        result = (values @ weight).sum() + (repeated * values).sum() + leaf(8).sin().sum()
    assert [each.shape for each in kept.moved] == [(64, 64)]
    assert torch.equal(kept.moved[0], values)
    result.backward()
    assert torch.allclose(values.grad, weight.detach().sum(1).expand(64, 64) + repeated.detach())


def test_views_of_one_storage_come_back_each_as_it_was():
    values, kept = leaf(2 * LEAST), Noted([])
    with kept.hooks():
        left, right = (values * 1.0).split(LEAST)
        turned = left.reshape(-1, 64).t().sin().sum() + right.sin().sum()
    turned.backward()
    assert len(kept.moved) == 2
    assert torch.allclose(values.grad, values.detach().cos())


def test_a_new_tensor_in_the_place_of_an_old_one_is_moved_too():
    """The next one often gets the same address."""
    kept, results = Noted([]), []
    with kept.hooks():
        for _ in range(8):
            values = leaf(LEAST)
            results.append((values * 1.0).sin().sum())
            del values
    assert len(kept.moved) == 8
