"""Angular triplets of each mining against loops over every triplet of a batch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from adapters.native.triplet_head import Mining, TripletHead, angles, every_gap, hardest, semi_hard
from harness.adapter import Batch

SIZE = 4
LABELS = [0, 1, 2, 0, 1, 2, 0, 2]


def rows(dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator).to(dtype)


def slow_angle(one: Tensor, two: Tensor) -> Tensor:
    norms = one.square().sum().sqrt() * two.square().sum().sqrt()
    return ((one * two).sum() / norms).acos()


def slow_triplets(embeddings: Tensor) -> Iterator[tuple[int, int, Tensor, Tensor]]:
    """Anchor and positive of every triplet of the batch, with the two angles."""
    count = len(LABELS)
    for a in range(count):
        for p in range(count):
            for n in range(count):
                if p != a and LABELS[p] == LABELS[a] and LABELS[n] != LABELS[a]:
                    like = slow_angle(embeddings[a], embeddings[p])
                    yield a, p, like, slow_angle(embeddings[a], embeddings[n])


def slow_hardest(embeddings: Tensor, margin: float) -> Tensor:
    """The mean over anchors of the worst hinge of all triplets of an anchor."""
    worst: dict[int, Tensor] = {}
    for a, _, like, unlike in slow_triplets(embeddings):
        hinge = (like - unlike + margin).clamp(min=0)
        worst[a] = max(worst.get(a, hinge), hinge, key=lambda each: float(each.detach()))
    return torch.stack(list(worst.values())).mean()


def slow_semi_hard(embeddings: Tensor, margin: float) -> Tensor:
    """The mean over pairs of a class of the hinge with the nearest unlike that is farther."""
    pairs: dict[tuple[int, int], tuple[Tensor, list[Tensor]]] = {}
    for a, p, like, unlike in slow_triplets(embeddings):
        pairs.setdefault((a, p), (like, []))[1].append(unlike)
    hinges = []
    for like, unlikes in pairs.values():
        beyond = [unlike for unlike in unlikes if unlike > like]
        size = lambda each: float(each.detach())  # noqa: E731
        chosen = min(beyond, key=size) if beyond else max(unlikes, key=size)
        hinges.append((like - chosen + margin).clamp(min=0))
    return torch.stack(hinges).mean()


def slow_all(embeddings: Tensor, margin: float) -> Tensor:
    """The mean over triplets whose hinge is open."""
    hinges = [like - unlike + margin for _, _, like, unlike in slow_triplets(embeddings)]
    open_ones = [hinge for hinge in hinges if hinge > 0]
    return torch.stack(open_ones).mean()


SLOW = {"hardest": slow_hardest, "semi-hard": slow_semi_hard, "all": slow_all}
MININGS: list[Mining] = ["hardest", "semi-hard", "all"]


@pytest.mark.parametrize("margin", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("mining", MININGS)
def test_loss_and_gradient_are_those_of_all_triplets(mining: Mining, margin: float) -> None:
    embeddings = rows().requires_grad_()
    loss = TripletHead(margin=margin, mining=mining)(embeddings, Batch(torch.tensor(LABELS))).loss
    slow = SLOW[mining](embeddings, margin)
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-12)
    (found,), (wanted,) = (torch.autograd.grad(value, embeddings) for value in (loss, slow))
    assert torch.allclose(found, wanted, rtol=1e-9, atol=1e-11)


def test_minings_differ() -> None:
    batch = Batch(torch.tensor(LABELS))
    losses = {float(TripletHead(margin=0.3, mining=each)(rows(), batch).loss) for each in MININGS}
    assert len(losses) == 3


@pytest.mark.parametrize("mining", MININGS)
def test_classes_far_apart_cost_nothing(mining: Mining) -> None:
    embeddings = torch.eye(3)[[0, 1, 2, 0, 1, 2, 0, 2]].requires_grad_()
    output = TripletHead(margin=0.3, mining=mining)(embeddings, Batch(torch.tensor(LABELS)))
    assert (output.loss.item(), output.logits) == (0.0, None)
    assert output.statistics == {"active_share": 0}
    output.loss.backward()
    assert embeddings.grad is not None
    assert not embeddings.grad.any()


def test_the_share_of_open_hinges_is_told() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [1.0, 1.0]])
    output = TripletHead(margin=0.0, mining="hardest")(
        embeddings, Batch(torch.tensor([0, 0, 1, 1]))
    )
    assert output.statistics == {"active_share": 0.25}  # the last alone is nearer to class 0


def test_hardest_are_the_farthest_like_and_the_nearest_unlike() -> None:
    distance = torch.tensor([[0, 1, 2, 5], [1, 0, 3, 4], [2, 3, 0, 6], [5, 4, 6, 0.0]])
    farthest, nearest = hardest(distance, torch.tensor([0, 0, 1, 1]))
    assert (farthest.tolist(), nearest.tolist()) == ([1, 1, 6, 6], [2, 3, 2, 4])


def test_semi_hard_is_the_nearest_beyond_or_else_the_farthest() -> None:
    distance = torch.tensor([[0, 2, 3, 5], [2, 0, 1, 1.5], [3, 1, 0, 6], [5, 1.5, 6, 0.0]])
    positive, negative = semi_hard(distance, torch.tensor([0, 0, 1, 1]))
    assert positive.tolist() == [2, 2, 6, 6]
    assert negative.tolist() == [3, 1.5, 3, 5]  # of 0 the nearest beyond; no other has one


def test_every_gap_is_each_triplets() -> None:
    distance = torch.tensor([[0, 1, 2, 5], [1, 0, 3, 4], [2, 3, 0, 6], [5, 4, 6, 0.0]])
    gaps = every_gap(distance, torch.tensor([0, 0, 1, 1]))
    assert sorted(gaps.tolist()) == sorted([1 - 2, 1 - 5, 1 - 3, 1 - 4, 6 - 2, 6 - 3, 6 - 5, 6 - 4])


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_gradients_are_finite_where_angles_are_0_and_pi(
    sign: int, dtype: torch.dtype, mining: Mining
) -> None:
    embeddings = rows(dtype)[0].repeat(4, 1)
    embeddings[1] *= sign
    embeddings.requires_grad_()
    head = TripletHead(margin=0.3, mining=mining)
    head(embeddings, Batch(torch.tensor([0, 0, 1, 1]))).loss.backward()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()


def test_angles_are_of_single_precision_at_least() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = angles(rows(torch.bfloat16))
    assert found.dtype == torch.float32
    assert torch.equal(found, angles(rows(torch.bfloat16).float()))
    assert found.max() < math.pi


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 0, 1, 2], [0, 1, 2, 3]])
def test_a_batch_without_triplets_is_refused(labels: list[int], mining: Mining) -> None:
    with pytest.raises(ValueError, match="two classes in a batch, and two examples of each"):
        TripletHead(margin=0.3, mining=mining)(rows()[:4], Batch(torch.tensor(labels)))


def test_mixed_labels_are_refused() -> None:
    labels = torch.tensor(LABELS)
    batch = Batch(labels, mix_labels=labels.flip(0), mix_weights=torch.full((8,), 0.5))
    with pytest.raises(ValueError, match="mixes none"):
        TripletHead(margin=0.3, mining="hardest")(rows(), batch)


def test_there_are_no_logits() -> None:
    with pytest.raises(TypeError, match="no classifier"):
        TripletHead(margin=0.3, mining="hardest").logits(rows())
