"""Batch-hard angular triplets against every triplet of a batch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from adapters.native.triplet_head import TripletHead, angles, hardest
from harness.adapter import Batch

SIZE = 4
LABELS = [0, 1, 2, 0, 1, 2, 0, 2]


def rows(dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator).to(dtype)


def slow_angle(one: Tensor, two: Tensor) -> Tensor:
    norms = one.square().sum().sqrt() * two.square().sum().sqrt()
    return ((one * two).sum() / norms).acos()


def slow_loss(embeddings: Tensor, margin: float) -> Tensor:
    """The mean over anchors of the worst hinge of all triplets of an anchor."""
    total, count = torch.zeros((), dtype=torch.float64), len(LABELS)
    for a in range(count):
        hinges = [
            slow_angle(embeddings[a], embeddings[p]) - slow_angle(embeddings[a], embeddings[n])
            for p in range(count)
            for n in range(count)
            if p != a and LABELS[p] == LABELS[a] and LABELS[n] != LABELS[a]
        ]
        total = total + (max(hinges, key=lambda hinge: float(hinge.detach())) + margin).clamp(min=0)
    return total / count


@pytest.mark.parametrize("margin", [0.0, 0.3, 1.0])
def test_loss_and_gradient_are_those_of_all_triplets(margin: float) -> None:
    embeddings = rows().requires_grad_()
    loss = TripletHead(margin=margin)(embeddings, Batch(torch.tensor(LABELS))).loss
    slow = slow_loss(embeddings, margin)
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-12)
    (found,), (wanted,) = (torch.autograd.grad(value, embeddings) for value in (loss, slow))
    assert torch.allclose(found, wanted, rtol=1e-9, atol=1e-11)


def test_classes_far_apart_cost_nothing() -> None:
    embeddings = torch.eye(3)[[0, 1, 2, 0, 1, 2, 0, 2]]
    output = TripletHead(margin=0.3)(embeddings, Batch(torch.tensor(LABELS)))
    assert (float(output.loss), output.logits, output.statistics) == (
        0.0,
        None,
        {"active_share": 0},
    )


def test_the_share_of_open_hinges_is_told() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [1.0, 1.0]])
    output = TripletHead(margin=0.0)(embeddings, Batch(torch.tensor([0, 0, 1, 1])))
    assert output.statistics == {"active_share": 0.25}  # the last alone is nearer to class 0


def test_hardest_are_the_farthest_like_and_the_nearest_unlike() -> None:
    distance = torch.tensor([[0, 1, 2, 5], [1, 0, 3, 4], [2, 3, 0, 6], [5, 4, 6, 0.0]])
    farthest, nearest = hardest(distance, torch.tensor([0, 0, 1, 1]))
    assert (farthest.tolist(), nearest.tolist()) == ([1, 1, 6, 6], [2, 3, 2, 4])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_gradients_are_finite_where_angles_are_0_and_pi(sign: int, dtype: torch.dtype) -> None:
    embeddings = rows(dtype)[0].repeat(4, 1)
    embeddings[1] *= sign
    embeddings.requires_grad_()
    TripletHead(margin=0.3)(embeddings, Batch(torch.tensor([0, 0, 1, 1]))).loss.backward()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()


def test_angles_are_of_single_precision_at_least() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = angles(rows(torch.bfloat16))
    assert found.dtype == torch.float32
    assert torch.equal(found, angles(rows(torch.bfloat16).float()))
    assert found.max() < math.pi


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 0, 1, 2], [0, 1, 2, 3]])
def test_a_batch_without_triplets_is_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="two classes in a batch, and two examples of each"):
        TripletHead(margin=0.3)(rows()[:4], Batch(torch.tensor(labels)))


def test_mixed_labels_are_refused() -> None:
    labels = torch.tensor(LABELS)
    batch = Batch(labels, mix_labels=labels.flip(0), mix_weights=torch.full((8,), 0.5))
    with pytest.raises(ValueError, match="mixes none"):
        TripletHead(margin=0.3)(rows(), batch)


def test_there_are_no_logits() -> None:
    with pytest.raises(TypeError, match="no classifier"):
        TripletHead(margin=0.3).logits(rows())
