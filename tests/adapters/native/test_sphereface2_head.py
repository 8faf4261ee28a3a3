"""SphereFace2 against one sum an example of one binary cross-entropy a class."""

from __future__ import annotations

import math
from typing import Literal

import pytest
import torch
from torch import Tensor

from adapters.native.sphereface2_head import SphereFace2Head, adjust_similarity
from harness.adapter import Batch

SIZE, CLASSES = 6, 4
LABELS = [0, 1, 2, 3, 1]


def head(
    margin_type: Literal["C", "A"] = "C",
    margin: float = 0.2,
    exponent: float = 3.0,
    scale: float = 8.0,
) -> SphereFace2Head:
    torch.manual_seed(1)
    built = SphereFace2Head(
        SIZE,
        CLASSES,
        scale=scale,
        margin=margin,
        balance=0.7,
        exponent=exponent,
        margin_type=margin_type,
    ).double()
    with torch.no_grad():
        built.bias.fill_(0.4)
    return built


def rows() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator)


def slow_angle(row: Tensor, centre: Tensor) -> Tensor:
    norms = row.square().sum().sqrt() * centre.square().sum().sqrt()
    return ((row * centre).sum() / norms).acos()


def slow_similarity(built: SphereFace2Head, angle: Tensor, sign: int) -> Tensor:
    """With a margin: sign 1 against the example (its own class), -1 for it (the others)."""
    t, m = built.exponent, sign * built.margin
    if built.margin_type == "C":
        return 2 * ((angle.cos() + 1) / 2) ** t - 1 - m
    assert 0 < float(angle.detach()) + m < math.pi, "these examples keep clear of the seams"
    return 2 * (((angle + m).cos() + 1) / 2) ** t - 1


def slow_loss(embeddings: Tensor, built: SphereFace2Head) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(embeddings, LABELS, strict=True):
        for j in range(CLASSES):
            sign = 1 if j == label else -1
            similarity = slow_similarity(built, slow_angle(row, built.weight[j]), sign)
            logit = built.scale * similarity + built.bias
            weight = built.balance if j == label else 1 - built.balance
            total = total + weight * (1 + (-sign * logit).exp()).log()
    return total / len(LABELS)


@pytest.mark.parametrize(
    ("margin_type", "margin", "exponent", "scale"),
    [
        ("C", 0.2, 3.0, 8.0),
        ("C", 0.0, 1.0, 32.0),
        ("C", 0.4, 2.5, 32.0),
        ("A", 0.15, 3.0, 8.0),
        ("A", 0.25, 2.0, 32.0),
        ("A", 0.0, 3.0, 8.0),
    ],
)
def test_loss_and_gradients_are_those_of_the_loops(
    margin_type: Literal["C", "A"], margin: float, exponent: float, scale: float
) -> None:
    built = head(margin_type, margin, exponent, scale)
    embeddings = rows().requires_grad_()
    loss = built(embeddings, Batch(torch.tensor(LABELS))).loss
    slow = slow_loss(embeddings, built)
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-12)
    places = (embeddings, built.weight, built.bias)
    wanted = torch.autograd.grad(slow, places)
    for found, gradient in zip(torch.autograd.grad(loss, places), wanted, strict=True):
        assert torch.allclose(found, gradient, rtol=1e-9, atol=1e-11)


def test_the_types_agree_without_a_margin() -> None:
    losses = [
        head(kind, margin=0.0)(rows(), Batch(torch.tensor(LABELS))).loss for kind in ("C", "A")
    ]
    assert torch.equal(*losses)


def test_logits_carry_no_margin() -> None:
    built = head(margin=0.3)
    logits = built(rows(), Batch(torch.tensor(LABELS))).logits
    assert logits is not None
    assert torch.equal(logits, built.logits(rows()))
    assert torch.equal(logits, head(margin=0.0).logits(rows()))


@pytest.mark.parametrize("exponent", [1.0, 2.5, 3.0])
def test_adjustment_keeps_the_ends_and_rises_between(exponent: float) -> None:
    cosine = torch.linspace(-1, 1, 101, dtype=torch.float64)
    found = adjust_similarity(cosine, exponent)
    assert (float(found[0]), float(found[-1])) == (-1.0, 1.0)
    assert (found.diff() > 0).all()
    if exponent == 1:
        assert torch.allclose(found, cosine)


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("cosine", [-1.0 - 1e-6, -1.0, 1.0])
def test_adjustment_and_its_gradient_are_finite_at_the_ends(cosine: float, exponent: float) -> None:
    end = torch.tensor(cosine, requires_grad=True)
    found = adjust_similarity(end, exponent)
    (gradient,) = torch.autograd.grad(found, end)
    assert found.isfinite()
    assert gradient.isfinite()
