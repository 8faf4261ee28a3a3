"""The additive margin against equation 6, example by example and class by class."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from adapters.native.margin_heads import AmHead
from harness.adapter import Batch

SIZE, CLASSES = 6, 4
LABELS = [0, 1, 2, 3, 1]


def head(scale: float = 16.0, margin: float = 0.35) -> AmHead:
    torch.manual_seed(1)
    return AmHead(SIZE, CLASSES, scale=scale, margin=margin).double()


def rows() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator)


def slow_cosine(row: Tensor, centre: Tensor) -> Tensor:
    return (row * centre).sum() / (row.square().sum().sqrt() * centre.square().sum().sqrt())


def slow_loss(embeddings: Tensor, weight: Tensor, scale: float, margin: float) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(embeddings, LABELS, strict=True):
        own = (scale * (slow_cosine(row, weight[label]) - margin)).exp()
        others = [(scale * slow_cosine(row, weight[j])).exp() for j in range(CLASSES) if j != label]
        total = total - (own / (own + sum(others))).log()
    return total / len(LABELS)


@pytest.mark.parametrize(("scale", "margin"), [(16.0, 0.35), (32.0, 0.0), (4.0, 1.5)])
def test_loss_and_gradients_are_those_of_equation_6(scale: float, margin: float) -> None:
    built, embeddings = head(scale, margin), rows().requires_grad_()
    loss = built(embeddings, Batch(torch.tensor(LABELS))).loss
    slow = slow_loss(embeddings, built.weight, scale, margin)
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-12)
    places = (embeddings, built.weight)
    wanted = torch.autograd.grad(slow, places)
    for found, gradient in zip(torch.autograd.grad(loss, places), wanted, strict=True):
        assert torch.allclose(found, gradient, rtol=1e-10, atol=1e-12)


def test_without_a_margin_it_is_cross_entropy_of_scaled_cosines() -> None:
    built, labels = head(margin=0.0), torch.tensor(LABELS)
    output = built(rows(), Batch(labels))
    cosine = functional.cosine_similarity(rows().unsqueeze(1), built.weight.unsqueeze(0), dim=2)
    assert torch.allclose(output.loss, functional.cross_entropy(16.0 * cosine, labels))


def test_logits_carry_no_margin() -> None:
    built = head(margin=0.4)
    logits = built(rows(), Batch(torch.tensor(LABELS))).logits
    cosine = functional.cosine_similarity(rows().unsqueeze(1), built.weight.unsqueeze(0), dim=2)
    assert logits is not None
    assert torch.allclose(logits, 16.0 * cosine)
    assert torch.equal(logits, built.logits(rows()))
