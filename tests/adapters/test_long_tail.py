"""Losses by the size of classes against loops over the formulas of their papers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from adapters.class_losses import ClassBalancedSoftmax
from adapters.long_tail import BalancedSoftmax, Ldam, LogitAdjustment
from adapters.losses import Softmax
from harness.adapter import Batch, LossAdapter, build_head
from harness.testing import check_loss

SIZE, COUNTS = 6, (90, 30, 4, 1)
LABELS = [0, 1, 2, 3, 1, 0]
ALL: list[LossAdapter] = [
    LogitAdjustment(),
    LogitAdjustment(tau=0.5),
    BalancedSoftmax(),
    Ldam(),
    Ldam(reweighting=0.0),
]


def rows() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator)


def built(adapter: LossAdapter, counts: tuple[int, ...] = COUNTS) -> Any:
    torch.manual_seed(1)
    return build_head(adapter, SIZE, len(counts), counts).double()


def loss_of(head: Any) -> float:
    return float(head(rows(), Batch(torch.tensor(LABELS))).loss.detach())


def slow_cross_entropy(logits: list[float], label: int) -> float:
    return -logits[label] + math.log(sum(math.exp(each) for each in logits))


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_it_conforms(adapter: LossAdapter) -> None:
    check_loss(adapter)


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
def test_logit_adjustment_is_the_papers_equation_10(tau: float) -> None:
    head, total = built(LogitAdjustment(tau=tau)), 0.0
    for logits, label in zip(head.logits(rows()).tolist(), LABELS, strict=True):
        # log(1 + sum over y' != y of (pi_y' / pi_y) ** tau * exp(f_y' - f_y))
        others = sum(
            (COUNTS[each] / COUNTS[label]) ** tau * math.exp(logits[each] - logits[label])
            for each in range(len(COUNTS))
            if each != label
        )
        total += math.log1p(others)
    assert loss_of(head) == pytest.approx(total / len(LABELS), rel=1e-6)


def test_balanced_softmax_is_the_papers_equation_3() -> None:
    head, total = built(BalancedSoftmax()), 0.0
    for logits, label in zip(head.logits(rows()).tolist(), LABELS, strict=True):
        powers = [count * math.exp(value) for count, value in zip(COUNTS, logits, strict=True)]
        total -= math.log(powers[label] / sum(powers))
    assert loss_of(head) == pytest.approx(total / len(LABELS), rel=1e-6)
    assert loss_of(head) == pytest.approx(loss_of(built(LogitAdjustment(tau=1.0))), rel=1e-6)


@pytest.mark.parametrize("reweighting", [0.0, 0.5, 1.0])
def test_ldam_is_the_papers_equation_13_on_scaled_cosines(reweighting: float) -> None:
    adapter = Ldam(margin=0.5, scale=10.0, beta=0.99, reweighting=reweighting)
    head, total = built(adapter), 0.0
    plain = [(1 - 0.99) / (1 - 0.99**count) for count in COUNTS]
    weights = [1 + reweighting * (len(COUNTS) * w / sum(plain) - 1) for w in plain]
    for logits, label in zip(head.logits(rows()).tolist(), LABELS, strict=True):
        margin = 0.5 * (min(COUNTS) / COUNTS[label]) ** 0.25
        shifted = [each - 10.0 * margin * (place == label) for place, each in enumerate(logits)]
        total += weights[label] * slow_cross_entropy(shifted, label)
    assert loss_of(head) == pytest.approx(total / len(LABELS), rel=1e-6)


def test_class_weights_are_deferred_by_a_schedule() -> None:
    head = built(Ldam())
    full = loss_of(head)
    head.reweighting = 0.0  # as a recipe has it before it is late
    assert loss_of(head) == pytest.approx(loss_of(built(Ldam(reweighting=0.0))))
    assert loss_of(head) != pytest.approx(full)


@pytest.mark.parametrize("adapter", [LogitAdjustment(), BalancedSoftmax()], ids=repr)
def test_classes_of_one_size_make_it_cross_entropy(adapter: LossAdapter) -> None:
    assert loss_of(built(adapter, (7, 7, 7, 7))) == pytest.approx(loss_of(built(Softmax())))


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_classes_are_decided_without_shift_or_margin(adapter: LossAdapter) -> None:
    head = built(adapter)
    output = head(rows(), Batch(torch.tensor(LABELS)))
    assert torch.equal(output.logits, head.logits(rows()))


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_a_mixed_example_weighs_both_labels(adapter: LossAdapter) -> None:
    head, labels = built(adapter), torch.tensor(LABELS)
    share = torch.full((len(LABELS),), 0.3, dtype=torch.float64)
    mixed = head(rows(), Batch(labels, mix_labels=labels.flip(0), mix_weights=share)).loss
    first, second = head(rows(), Batch(labels)).loss, head(rows(), Batch(labels.flip(0))).loss
    assert torch.allclose(mixed, 0.3 * first + 0.7 * second)


@pytest.mark.parametrize("adapter", [*ALL, ClassBalancedSoftmax()], ids=repr)
@pytest.mark.parametrize("counts", [[3, 1, 7], [3, 1, 7, 0]])
def test_counts_that_do_not_tell_of_every_class_are_refused(
    adapter: Any, counts: list[int]
) -> None:
    with pytest.raises(ValueError, match="of each of 4 classes, one or more"):
        adapter.build(SIZE, 4, counts=counts)


@pytest.mark.parametrize(
    ("adapter", "fields", "message"),
    [
        (LogitAdjustment, {"tau": -1.0}, "tau must not be negative"),
        (Ldam, {"margin": 2.0}, "margin is a difference of cosines"),
        (Ldam, {"scale": 0.0}, "scale must be positive"),
        (Ldam, {"beta": 1.0}, "beta must be from 0 to under 1"),
        (Ldam, {"reweighting": 1.5}, "reweighting must be in 0..1"),
    ],
)
def test_fields_that_make_no_sense_are_refused(
    adapter: type[Any], fields: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        adapter(**fields)
