"""Hyperbolic distances and their margin, example by example and class by class."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from adapters.native.ham_head import HamHead
from harness.adapter import Batch

SIZE, CLASSES = 6, 4
LABELS = [0, 1, 2, 3, 1]
# Of these examples, by `HyperbolicAMSoftmax` of WeSpeaker (dfa7419): scale, margin, curvature.
UPSTREAM = {
    (30.0, 0.2, 3.0): 6.792295806,
    (16.0, 0.0, 1.0): 1.218957466,
    (32.0, 0.3, 5.0): 10.486515775,
}


def head(scale: float = 30.0, margin: float = 0.2, curvature: float = 3.0) -> HamHead:
    built = HamHead(SIZE, CLASSES, scale=scale, margin=margin, curvature=curvature).double()
    with torch.no_grad():
        built.weight.copy_(0.1 * values(1, CLASSES))
    return built


def values(seed: int, rows: int) -> Tensor:
    """Known numbers in -1..1, of no generator."""
    places = torch.arange(rows * SIZE, dtype=torch.float64).reshape(rows, SIZE)
    return torch.sin((seed + 2) * places + seed)


def rows() -> Tensor:
    """Examples inside the ball and outside of it."""
    return values(0, len(LABELS)) * torch.tensor([[0.1], [0.3], [1.0], [5.0], [0.2]])


def slow_projection(point: Tensor, curvature: float) -> Tensor:
    length, most = point.square().sum().sqrt(), (1 - 1e-5) / curvature**0.5
    return point * most / length if length > most else point


def slow_distance(one: Tensor, two: Tensor) -> Tensor:
    rest = (1 - one.square().sum()) * (1 - two.square().sum())
    return (1 + 2 * (one - two).square().sum() / rest).acosh()


def slow_loss(
    embeddings: Tensor, weight: Tensor, scale: float, margin: float, curvature: float
) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(embeddings, LABELS, strict=True):
        point = slow_projection(row, curvature)
        scores = []
        for j in range(CLASSES):
            distance = slow_distance(point, slow_projection(weight[j], curvature))
            scores.append((-scale * (distance + (margin if j == label else 0.0))).exp())
        total = total - (scores[label] / sum(scores)).log()
    return total / len(LABELS)


@pytest.mark.parametrize(("scale", "margin", "curvature"), list(UPSTREAM))
def test_loss_and_gradients_are_those_of_the_distances(
    scale: float, margin: float, curvature: float
) -> None:
    built, embeddings = head(scale, margin, curvature), rows().requires_grad_()
    loss = built(embeddings, Batch(torch.tensor(LABELS))).loss
    slow = slow_loss(embeddings, built.weight, scale, margin, curvature)
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-10)
    places = (embeddings, built.weight)
    wanted = torch.autograd.grad(slow, places)
    for found, gradient in zip(torch.autograd.grad(loss, places), wanted, strict=True):
        assert torch.allclose(found, gradient, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("fields", "loss"), UPSTREAM.items())
def test_loss_is_upstreams(fields: tuple[float, float, float], loss: float) -> None:
    found = head(*fields)(rows(), Batch(torch.tensor(LABELS))).loss
    assert float(found.detach()) == pytest.approx(loss, rel=1e-5)


def test_logits_carry_no_margin_and_the_nearest_class_is_the_likeliest() -> None:
    built = head(margin=0.4)
    logits = built(rows(), Batch(torch.tensor(LABELS))).logits
    assert logits is not None
    assert torch.equal(logits, built.logits(rows()))
    assert built.logits(built.weight).argmax(dim=1).tolist() == list(range(CLASSES))
    assert built.logits(built.weight).diagonal().tolist() == [0.0] * CLASSES


def test_centres_start_near_the_middle() -> None:
    torch.manual_seed(0)
    weight = HamHead(64, 32, scale=30.0, margin=0.2, curvature=3.0).weight
    assert float(weight.detach().std()) == pytest.approx(1e-3, rel=0.05)
