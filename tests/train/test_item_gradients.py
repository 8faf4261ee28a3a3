"""Gradient norms and weights of items under any loss: against closed forms."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from adapters.class_losses import ClassBalancedSoftmax, FocalSoftmax
from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax, Softmax
from adapters.native.ghm_head import gradient_norm
from adapters.native.harmonising import bin_index
from adapters.native.linear_heads import class_weights
from adapters.triplet import AngularTriplet
from harness.adapter import Batch, ItemGradients, LossAdapter, build_head
from harness.train.item_gradients import cross_entropy_norms, item_gradients

SIZE, COUNTS = 6, (30, 4, 1, 9)
LABELS = torch.tensor([0, 1, 2, 3, 1, 0, 0])
BATCH = Batch(LABELS)


def embeddings() -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return 4 * torch.randn(len(LABELS), SIZE, generator=generator)


def head_of(adapter: LossAdapter) -> Any:
    torch.manual_seed(0)
    return build_head(adapter, SIZE, len(COUNTS), COUNTS).eval()


def found(head: Any, rows: Tensor | None = None) -> ItemGradients:
    result = item_gradients(head, embeddings() if rows is None else rows, BATCH)
    assert result is not None
    return result


def plain_norms(head: Any) -> Tensor:
    return 1 - head.double().logits(embeddings().double()).softmax(1)[range(len(LABELS)), LABELS]


def test_cross_entropy_weighs_all_alike() -> None:
    head = head_of(Softmax())
    given = found(head)
    assert given.weights.tolist() == pytest.approx([1.0] * len(LABELS))
    assert torch.allclose(given.norms, plain_norms(head), atol=1e-14)
    assert torch.allclose(given.weighted_norms, given.norms)


def test_class_weights_are_found() -> None:
    wanted = class_weights(COUNTS, beta=0.99)[LABELS]
    given = found(head_of(ClassBalancedSoftmax(beta=0.99)))
    assert torch.allclose(given.weights, wanted, rtol=1e-6)  # they are kept in single precision


def test_focal_weights_are_the_derivative_of_its_formula() -> None:
    given = found(head_of(FocalSoftmax(gamma=2.0)))
    # d/dp of -(1 - p)**2 log p, over that of -log p: the logits' part of the chain is the same.
    g, p = given.norms, 1 - given.norms
    assert torch.allclose(given.weights, g**2 - 2 * g * p * p.log())


def test_harmonising_weights_are_those_of_the_running_density_which_stays() -> None:
    head = head_of(GhmClassification(bins=4, momentum=0.5))
    head.density.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))
    place = bin_index(gradient_norm(head.logits(embeddings()), LABELS), bins=4)
    share = torch.bincount(place, minlength=4) / len(LABELS)
    wanted = 1 / ((head.density + share) / 2)[place] / int((share > 0).sum())
    assert torch.allclose(found(head).weights.float(), wanted)
    assert head.density.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_a_smoothed_label_pulls_an_easy_item_back() -> None:
    head = head_of(Softmax(label_smoothing=0.1))
    given = found(head)
    logits = head.double().logits(embeddings().double()).detach().requires_grad_()
    functional.cross_entropy(logits, LABELS, reduction="sum", label_smoothing=0.1).backward()
    assert logits.grad is not None
    assert torch.allclose(given.weighted_norms, logits.grad.abs().sum(1) / 2)


def test_what_was_embedded_for_inference_is_taken_and_the_head_stays_as_it_is() -> None:
    head = head_of(Softmax())
    with torch.inference_mode():
        given = found(head, embeddings().half())
    assert head.classifier.weight.dtype == torch.float32
    assert head.classifier.weight.grad is None
    assert given.weights.tolist() == pytest.approx([1.0] * len(LABELS))


def test_norms_are_exact_where_a_probability_rounds_to_one() -> None:
    logits = torch.tensor([[60.0, 0.0, 0.0]], dtype=torch.float64)
    norm = cross_entropy_norms(logits, torch.tensor([0]))
    assert float(norm) == pytest.approx(2 * torch.tensor(-60.0, dtype=torch.float64).exp().item())


def test_losses_that_do_not_rest_on_their_logits_have_none() -> None:
    assert item_gradients(head_of(AamSoftmax()), embeddings(), BATCH) is None
    pairs = Batch(torch.tensor([0, 0, 1, 1]))
    assert item_gradients(head_of(AngularTriplet()), embeddings()[:4], pairs) is None


def test_a_head_may_answer_for_itself() -> None:
    class Own:
        def item_gradients(self, rows: Tensor, batch: Batch) -> ItemGradients:
            assert not torch.is_grad_enabled()
            return ItemGradients(rows[:, 0], rows[:, 1], batch.labels)

    assert torch.equal(found(Own()).weights, LABELS)
