"""Class-balanced cross-entropy against loops over examples and classes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from adapters.class_losses import ClassBalancedSoftmax
from adapters.losses import Softmax
from adapters.native.linear_heads import ClassBalancedHead, class_weights
from harness.adapter import Batch

COUNTS, LABELS, SIZE = [1, 5, 40, 2000], [0, 3, 2, 2, 1, 3], 3


def slow_weights(counts: list[int], beta: float) -> list[float]:
    plain = [(1 - beta) / (1 - beta**count) for count in counts]
    return [len(counts) * weight / sum(plain) for weight in plain]


def head(beta: float = 0.9) -> ClassBalancedHead:
    torch.manual_seed(0)
    return ClassBalancedHead(SIZE, COUNTS, beta=beta).double()


def rows() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator)


def slow_loss(logits: Tensor, beta: float) -> Tensor:
    weights, total = slow_weights(COUNTS, beta), torch.zeros((), dtype=torch.float64)
    for example, label in enumerate(LABELS):
        share = logits[example, label].exp() / sum(value.exp() for value in logits[example])
        total = total - weights[label] * share.log()
    return total / len(LABELS)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999])
def test_loss_and_gradient_are_those_of_a_loop(beta: float) -> None:
    made, embeddings = head(beta), rows().requires_grad_()
    made.class_weights = torch.tensor(slow_weights(COUNTS, beta), dtype=torch.float64)
    output = made(embeddings, Batch(torch.tensor(LABELS)))
    slow = slow_loss(made.logits(embeddings), beta)
    assert output.logits is not None
    assert float(output.loss.detach()) == pytest.approx(float(slow.detach()), rel=1e-12)
    leaves = [embeddings, *made.parameters()]
    found, wanted = (torch.autograd.grad(loss, leaves) for loss in (output.loss, slow))
    for one, two in zip(found, wanted, strict=True):
        assert torch.allclose(one, two, rtol=1e-10, atol=1e-13)


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=9), st.floats(0.0, 0.999, exclude_max=True)
)
def test_weights_are_the_papers(counts: list[int], beta: float) -> None:
    found = class_weights(counts, beta=beta).tolist()
    assert found == pytest.approx(slow_weights(counts, beta), rel=1e-9)
    assert sum(found) == pytest.approx(len(counts))
    for one, weight in zip(counts, found, strict=True):
        for two, other in zip(counts, found, strict=True):
            assert one > two or weight >= other * (1 - 1e-12), "the rarer weighs no less"


def test_the_limits_are_no_weight_and_one_over_the_count() -> None:
    assert class_weights(COUNTS, beta=0.0).tolist() == [1.0] * 4
    near = class_weights(COUNTS, beta=1 - 1e-12)
    inverse = [4 / count / sum(1 / each for each in COUNTS) for count in COUNTS]
    assert near.tolist() == pytest.approx(inverse, rel=1e-6)


def test_a_head_holds_the_weights_of_its_counts() -> None:
    made = ClassBalancedHead(SIZE, COUNTS, beta=0.99)
    assert made.class_weights.tolist() == pytest.approx(slow_weights(COUNTS, 0.99), rel=1e-6)
    assert set(made.state_dict()) == {"classifier.weight", "classifier.bias"}
    assert math.isclose(float(made.class_weights.sum()), 4, rel_tol=1e-6)


def test_with_equal_counts_it_is_softmax() -> None:
    batch, embeddings = Batch(torch.tensor(LABELS)), rows().float()
    torch.manual_seed(2)
    plain = Softmax().build(SIZE, 4)
    torch.manual_seed(2)
    balanced = ClassBalancedSoftmax().build(SIZE, 4, counts=[7] * 4)
    one, two = (made(embeddings, batch).loss.detach() for made in (plain, balanced))
    assert float(one) == pytest.approx(float(two), rel=1e-6)


def test_a_rare_class_alone_in_a_batch_still_weighs_more() -> None:
    made, embeddings = head(0.99), rows()[:1]
    for label in (0, 3):
        output = made(embeddings, Batch(torch.tensor([label])))
        plain = -made.logits(embeddings).log_softmax(1)[0, label]
        weight = slow_weights(COUNTS, 0.99)[label]
        assert output.loss.item() == pytest.approx(weight * plain.item(), rel=1e-6)
