"""Focal cross-entropy against its formula in plain powers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from adapters.native.linear_heads import FocalHead, focal_losses
from harness.adapter import Batch

SIZE, CLASSES = 6, 4
LABELS = [0, 1, 2, 3, 1]
GAMMAS = [0.0, 0.5, 1.0, 2.0, 5.0]


def head(gamma: float) -> FocalHead:
    torch.manual_seed(1)
    return FocalHead(SIZE, CLASSES, gamma=gamma).double()


def rows() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator)


def slow_loss(embeddings: Tensor, built: FocalHead) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    weight, bias = built.classifier.weight, built.classifier.bias
    for row, label in zip(embeddings, LABELS, strict=True):
        powers = [((row * weight[j]).sum() + bias[j]).exp() for j in range(CLASSES)]
        p = powers[label] / sum(powers)
        total = total - (1 - p) ** built.gamma * p.log()
    return total / len(LABELS)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_loss_and_gradients_are_those_of_the_loops(gamma: float) -> None:
    built, embeddings = head(gamma), rows().requires_grad_()
    loss = built(embeddings, Batch(torch.tensor(LABELS))).loss
    slow = slow_loss(embeddings, built)
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-12)
    places = (embeddings, built.classifier.weight, built.classifier.bias)
    wanted = torch.autograd.grad(slow, places)
    for found, gradient in zip(torch.autograd.grad(loss, places), wanted, strict=True):
        assert torch.allclose(found, gradient, rtol=1e-10, atol=1e-12)


def test_gamma_0_is_cross_entropy_to_the_bit() -> None:
    logits, labels = rows()[:, :CLASSES], torch.tensor(LABELS)
    expected = functional.cross_entropy(logits, labels, reduction="none")
    assert torch.equal(focal_losses(logits, labels, 0.0), expected)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("gap", [30.0, 1e4, -1e4])
def test_a_sure_example_has_a_finite_loss_and_gradient(gamma: float, gap: float) -> None:
    logits = torch.tensor([[gap, 0.0, -1.0]], requires_grad=True)
    losses = focal_losses(logits, torch.tensor([0]), gamma)
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert losses.isfinite().all()
    assert gradient.isfinite().all()


def test_a_larger_gamma_weighs_the_sure_less() -> None:
    logits = torch.tensor([[3.0, 0.0], [0.0, 0.5]])
    plain, focal = (focal_losses(logits, torch.tensor([0, 0]), gamma) for gamma in (0.0, 2.0))
    sure, unsure = (focal / plain).tolist()
    assert sure < 0.01
    assert unsure > 0.3
