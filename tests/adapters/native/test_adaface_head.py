"""The margin of each embedding's length against its formula, example by example."""

from __future__ import annotations

import math
from statistics import mean, stdev

import pytest
import torch
from torch import Tensor

from adapters.native.adaface_head import AdaFaceHead
from harness.adapter import Batch

SIZE, CLASSES = 6, 4
LABELS = [0, 1, 2, 3, 1]
# Of these examples, by `AdaFace` of mk-minchul's repository (head.py of 9cb9816) whose momentum is
# that of no memory: scale, margin, concentration.
UPSTREAM = {
    (64.0, 0.4, 0.333): 35.156075846,
    (16.0, 0.2, 0.333): 5.806516172,
    (8.0, 0.5, 2.0): 5.376815688,
}


def head(
    scale: float = 64.0, margin: float = 0.4, concentration: float = 0.333, momentum: float = 0.99
) -> AdaFaceHead:
    built = AdaFaceHead(
        SIZE,
        CLASSES,
        scale=scale,
        margin=margin,
        concentration=concentration,
        momentum=momentum,
    ).double()
    with torch.no_grad():
        built.weight.copy_(values(1, CLASSES))
    return built


def values(seed: int, rows: int) -> Tensor:
    """Known numbers in -1..1, of no generator."""
    places = torch.arange(rows * SIZE, dtype=torch.float64).reshape(rows, SIZE)
    return torch.sin((seed + 2) * places + seed)


def rows() -> Tensor:
    """Examples of several lengths."""
    return values(0, len(LABELS)) * torch.tensor([[1.0], [3.0], [10.0], [5.0], [20.0]])


def slow_loss(
    embeddings: Tensor, weight: Tensor, scale: float, margin: float, concentration: float
) -> Tensor:
    lengths = [math.sqrt(sum(value**2 for value in row)) for row in embeddings.tolist()]
    total = torch.zeros((), dtype=torch.float64)
    for row, label, length in zip(embeddings, LABELS, lengths, strict=True):
        quality = (length - mean(lengths)) / (stdev(lengths) + 1e-3) * concentration
        quality = max(-1.0, min(1.0, quality))
        scores = []
        for j in range(CLASSES):
            cosine = (row * weight[j]).sum() / (row.norm() * weight[j].norm())
            if j == label:
                angle = (cosine.acos() - margin * quality).clamp(1e-3, math.pi - 1e-3)
                cosine = angle.cos() - margin * (quality + 1)
            scores.append((scale * cosine).exp())
        total = total - (scores[label] / sum(scores)).log()
    return total / len(LABELS)


@pytest.mark.parametrize(("scale", "margin", "concentration"), list(UPSTREAM))
def test_loss_and_gradients_are_those_of_the_formula(
    scale: float, margin: float, concentration: float
) -> None:
    built, embeddings = head(scale, margin, concentration), rows().requires_grad_()
    loss = built(embeddings, Batch(torch.tensor(LABELS))).loss
    slow = slow_loss(embeddings, built.weight, scale, margin, concentration)
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-6)
    places = (embeddings, built.weight)
    wanted = torch.autograd.grad(slow, places)
    for found, gradient in zip(torch.autograd.grad(loss, places), wanted, strict=True):
        assert torch.allclose(found, gradient, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("fields", "loss"), UPSTREAM.items())
def test_loss_is_upstreams(fields: tuple[float, float, float], loss: float) -> None:
    found = head(*fields)(rows(), Batch(torch.tensor(LABELS))).loss
    assert float(found.detach()) == pytest.approx(loss, rel=1e-5)


def test_long_embeddings_have_the_larger_additive_margin() -> None:
    quality = head().quality(rows())
    lengths = rows().norm(dim=1)
    assert quality.argsort().tolist() == lengths.argsort().tolist()
    assert float(quality.abs().max()) <= 1


def test_lengths_of_earlier_batches_are_remembered() -> None:
    built = head(momentum=0.9)
    first, second = rows().norm(dim=1), 3 * rows().norm(dim=1)
    built.quality(rows())
    built.quality(3 * rows())
    share = 0.9 * 0.1 / (0.9 * 0.1 + 0.1)
    wanted = share * first.mean() + (1 - share) * second.mean()
    found = built.norm_mean / built.norm_weight
    assert float(found) == pytest.approx(float(wanted), rel=1e-6)


def test_evaluation_uses_them_and_a_head_that_never_trained_the_batch() -> None:
    built = head().eval()
    own = built.quality(rows())
    assert float(built.norm_weight) == 0
    assert float(own.mean()) == pytest.approx(0, abs=1e-6)
    built.train().quality(rows())
    assert bool((built.eval().quality(9 * rows()) > own).all())


def test_a_single_example_has_a_finite_loss() -> None:
    assert bool(head()(rows()[:1], Batch(torch.tensor(LABELS[:1]))).loss.isfinite())
