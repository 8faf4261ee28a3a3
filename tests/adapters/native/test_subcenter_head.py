"""Sub-centres and the inter-topK penalty against loops over examples, classes and centres."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from adapters.native.margin_heads import AamHead, SubcenterHead, narrow_angle, rival_classes
from harness.adapter import Batch

SIZE, CLASSES = 5, 6
LABELS = [0, 1, 2, 5, 1]
FIELDS = {"sub_centers": 3, "top_k": 2, "scale": 12.0, "margin": 0.2, "inter_margin": 0.06}


def head(**changed: float) -> SubcenterHead:
    torch.manual_seed(1)
    return SubcenterHead(SIZE, CLASSES, **{**FIELDS, **changed}).double()  # type: ignore[arg-type]


def rows() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator)


def slow_cosine(row: Tensor, centre: Tensor) -> Tensor:
    return (row * centre).sum() / (row.square().sum().sqrt() * centre.square().sum().sqrt())


def slow_class_cosine(row: Tensor, centres: list[Tensor]) -> Tensor:
    """The cosine of the nearest of one class's centres."""
    found = [slow_cosine(row, centre) for centre in centres]
    return max(found, key=lambda cosine: float(cosine.detach()))


def slow_loss(embeddings: Tensor, built: SubcenterHead) -> Tensor:
    k = built.sub_centers
    centres = [list(built.weight[j * k : (j + 1) * k]) for j in range(CLASSES)]
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(embeddings, LABELS, strict=True):
        angle = [slow_class_cosine(row, centres[j]).acos() for j in range(CLASSES)]
        others = sorted(
            (j for j in range(CLASSES) if j != label), key=lambda j: float(angle[j].detach())
        )
        powers = [angle[j].cos() for j in range(CLASSES)]
        for j in others[: built.rivals]:
            powers[j] = (angle[j] - built.inter_margin).cos()
        powers[label] = slow_widened(angle[label], built.margin)
        terms = [(built.scale * power).exp() for power in powers]
        total = total - (terms[label] / sum(terms)).log()
    return total / len(LABELS)


def slow_widened(angle: Tensor, margin: float) -> Tensor:
    if float(angle.detach()) + margin < math.pi:
        return (angle + margin).cos()
    return angle.cos() - (1 - math.cos(margin))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"sub_centers": 1},
        {"top_k": 0},
        {"top_k": 50, "inter_margin": 0.3},
        {"margin": 1.8, "scale": 4.0},
    ],
)
def test_loss_and_gradients_are_those_of_the_loops(changed: dict[str, float]) -> None:
    built, embeddings = head(**changed), rows().requires_grad_()
    loss = built(embeddings, Batch(torch.tensor(LABELS))).loss
    slow = slow_loss(embeddings, built)
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-12)
    places = (embeddings, built.weight)
    wanted = torch.autograd.grad(slow, places)
    for found, gradient in zip(torch.autograd.grad(loss, places), wanted, strict=True):
        assert torch.allclose(found, gradient, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("spared", [{"top_k": 0}, {"inter_margin": 0.0}])
def test_one_centre_and_no_penalty_is_aam_to_the_bit(spared: dict[str, float]) -> None:
    built = head(sub_centers=1, **spared)
    torch.manual_seed(1)
    aam = AamHead(SIZE, CLASSES, scale=12.0, margin=0.2, easy_margin=False).double()
    assert torch.equal(built.weight, aam.weight)
    outputs = []
    for module in (built, aam):
        embeddings = rows().requires_grad_()
        output = module(embeddings, Batch(torch.tensor(LABELS)))
        gradients = torch.autograd.grad(output.loss, (embeddings, module.weight))
        outputs.append((output.loss, output.logits, *gradients))
    for one, two in zip(*outputs, strict=True):
        assert torch.equal(one, two)


def test_logits_are_the_nearest_centres_and_carry_no_margin() -> None:
    built = head()
    logits = built(rows(), Batch(torch.tensor(LABELS))).logits
    assert logits is not None
    assert torch.equal(logits, built.logits(rows()))
    centres = list(built.weight[6:9])
    wanted = 12.0 * slow_class_cosine(rows()[3], centres)
    assert float(logits[3, 2].detach()) == pytest.approx(float(wanted.detach()), rel=1e-12)


def test_rivals_are_the_nearest_other_classes() -> None:
    cosine = torch.tensor([[0.9, 0.1, 0.8, -0.5], [0.2, 0.3, 0.4, 0.99]])
    assert rival_classes(cosine, torch.tensor([0, 3]), 2).tolist() == [[2, 1], [2, 1]]
    assert rival_classes(cosine, torch.tensor([3, 0]), 3).tolist() == [[0, 2, 1], [3, 2, 1]]


@pytest.mark.parametrize("margin", [0.0, 0.06, 0.7])
def test_a_narrowed_cosine_is_cos_theta_less_the_margin_and_falls_everywhere(margin: float) -> None:
    angle = torch.linspace(0.01, math.pi - 0.01, 400, dtype=torch.float64)
    found = narrow_angle(angle.cos(), margin)
    over = angle > margin
    assert torch.allclose(found[over], (angle[over] - margin).cos(), atol=1e-9)
    assert (found.diff() < 0).all()


@pytest.mark.parametrize("cosine", [-1.0, 1.0])
def test_the_gradient_of_a_narrowed_cosine_is_finite_at_the_ends(cosine: float) -> None:
    end = torch.tensor(cosine, requires_grad=True)
    (gradient,) = torch.autograd.grad(narrow_angle(end, 0.06), end)
    assert gradient.isfinite()
