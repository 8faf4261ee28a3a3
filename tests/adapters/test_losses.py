"""Softmax and AAM against slow references of their own."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from adapters.losses import AamSoftmax, Softmax
from adapters.native.margin_heads import AamHead, widen_angle
from harness.adapter import Batch

SIZE, CLASSES = 6, 4
LABELS = [0, 1, 2, 3, 1]


def embeddings(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator)


def aam_head(**fields: float | bool) -> AamHead:
    torch.manual_seed(1)
    head = AamSoftmax(**fields).build(SIZE, CLASSES).double()  # type: ignore[arg-type]
    assert isinstance(head, AamHead)
    return head


def dot(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def slow_aam(rows: list[list[float]], weight: list[list[float]], head: AamHead) -> float:
    """ArcFace's equation 3 example by example, with angles, by the standard library alone."""
    total = 0.0
    for row, label in zip(rows, LABELS, strict=True):
        logits = []
        for number, centre in enumerate(weight):
            cosine = dot(row, centre) / math.hypot(*row) / math.hypot(*centre)
            if number == label:
                cosine = slow_margin(cosine, head.margin, easy=head.easy_margin)
            logits.append(head.scale * cosine)
        top = max(logits)
        total += top + math.log(sum(math.exp(z - top) for z in logits)) - logits[label]
    return total / len(rows)


def slow_margin(cosine: float, margin: float, *, easy: bool) -> float:
    angle = math.acos(cosine)
    if easy:
        return math.cos(angle + margin) if angle < math.pi / 2 else cosine
    if angle + margin < math.pi:
        return math.cos(angle + margin)
    return cosine - (1 - math.cos(margin))


AAM_FIELDS: list[dict[str, float | bool]] = [
    {},
    {"margin": 0.0},
    {"margin": 1.2, "scale": 8.0},
    {"margin": 0.5, "scale": 16.0, "easy_margin": True},
]


@pytest.mark.parametrize("fields", AAM_FIELDS)
def test_aam_is_equation_3(fields: dict[str, float | bool]) -> None:
    head, rows = aam_head(**fields), embeddings()
    loss = head(rows, Batch(torch.tensor(LABELS))).loss
    assert float(loss.detach()) == pytest.approx(
        slow_aam(rows.tolist(), head.weight.tolist(), head), rel=1e-12
    )


@pytest.mark.parametrize("fields", AAM_FIELDS)
def test_aam_gradient_is_that_of_the_reference(fields: dict[str, float | bool]) -> None:
    head, rows = aam_head(**fields), embeddings().requires_grad_()
    head(rows, Batch(torch.tensor(LABELS))).loss.backward()
    assert rows.grad is not None
    assert head.weight.grad is not None
    values, weight = rows.tolist(), head.weight.tolist()
    for table, gradient in ((values, rows.grad), (weight, head.weight.grad)):
        for i, j in ((0, 0), (1, 3), (3, 5)):
            slope = central_difference(lambda: slow_aam(values, weight, head), table, i, j)
            assert float(gradient[i, j]) == pytest.approx(slope, rel=1e-6, abs=1e-8)


def central_difference(function, table: list[list[float]], i: int, j: int) -> float:  # type: ignore[no-untyped-def]
    step, kept = 1e-6, table[i][j]
    table[i][j] = kept + step
    above = function()
    table[i][j] = kept - step
    below = function()
    table[i][j] = kept
    return float(above - below) / (2 * step)


def test_aam_logits_carry_no_margin() -> None:
    head, rows = aam_head(margin=0.4), embeddings()
    logits = head(rows, Batch(torch.tensor(LABELS))).logits
    cosines = functional.cosine_similarity(rows.unsqueeze(1), head.weight.unsqueeze(0), dim=2)
    assert torch.allclose(logits, head.scale * cosines)
    assert torch.equal(logits, head.logits(rows))


def test_a_scheduled_margin_is_used_from_the_next_step() -> None:
    head, rows = aam_head(margin=0.3), embeddings()
    batch = Batch(torch.tensor(LABELS))
    full = head(rows, batch).loss
    head.margin = 0.0
    plain = head(rows, batch).loss
    assert plain < full
    assert torch.allclose(plain, functional.cross_entropy(head.logits(rows), batch.labels))


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_aam_gradient_is_finite_on_and_opposite_its_class(sign: float, dtype: torch.dtype) -> None:
    head = aam_head().to(dtype)
    rows = (sign * head.weight.detach()[LABELS]).requires_grad_()
    head(rows, Batch(torch.tensor(LABELS))).loss.backward()
    assert rows.grad is not None
    assert head.weight.grad is not None
    assert rows.grad.isfinite().all()
    assert head.weight.grad.isfinite().all()


def test_autocast_does_not_round_cosines() -> None:
    head, rows = aam_head().float(), embeddings().float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = head.logits(rows.bfloat16().float())
    assert logits.dtype == torch.float32
    assert torch.equal(logits, head.logits(rows.bfloat16().float()))


@given(
    margin=st.floats(0, 1.5),
    angles=st.tuples(st.floats(0, math.pi), st.floats(0, math.pi)),
)
def test_the_margined_cosine_falls_as_the_angle_grows(
    margin: float, angles: tuple[float, float]
) -> None:
    near, far = widen_angle(
        torch.tensor(sorted(angles), dtype=torch.float64).cos(), margin
    ).tolist()
    assert near >= far - 1e-3  # the clamped sine bends the curve within 3e-4 of 0 and pi


@given(margin=st.floats(0.05, 1.5))
def test_the_margined_cosine_has_no_jump_at_the_seam(margin: float) -> None:
    seam = math.pi - margin
    beside = torch.tensor([seam - 1e-9, seam + 1e-9], dtype=torch.float64).cos()
    before, after = widen_angle(beside, margin).tolist()
    assert before == pytest.approx(after, abs=1e-7)
    assert before == pytest.approx(-1, abs=1e-7)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_softmax_is_cross_entropy(smoothing: float) -> None:
    torch.manual_seed(2)
    head = Softmax(label_smoothing=smoothing).build(SIZE, CLASSES).double()
    rows, labels = embeddings(), torch.tensor(LABELS)
    output = head(rows, Batch(labels))
    expected = functional.cross_entropy(
        rows @ head.classifier.weight.T + head.classifier.bias, labels, label_smoothing=smoothing
    )
    assert torch.allclose(output.loss, expected)
    assert torch.equal(output.logits, head.logits(rows))


@pytest.mark.parametrize("adapter", [Softmax(label_smoothing=0.1), AamSoftmax()])
def test_a_mixed_example_weighs_both_labels(adapter: Softmax | AamSoftmax) -> None:
    head = adapter.build(SIZE, CLASSES).double()
    rows, labels = embeddings(), torch.tensor(LABELS)
    share = torch.full((len(LABELS),), 0.3, dtype=torch.float64)
    mixed = head(rows, Batch(labels, mix_labels=labels.flip(0), mix_weights=share)).loss
    first, second = head(rows, Batch(labels)).loss, head(rows, Batch(labels.flip(0))).loss
    assert torch.allclose(mixed, 0.3 * first + 0.7 * second)


@pytest.mark.parametrize(
    ("adapter", "fields", "message"),
    [
        (Softmax, {"label_smoothing": 1.5}, "label_smoothing must be in 0..1"),
        (AamSoftmax, {"scale": 0.0}, "scale must be positive"),
        (AamSoftmax, {"margin": 11.5}, "margin is in radians"),
    ],
)
def test_fields_that_make_no_sense_are_refused(
    adapter: type[Softmax | AamSoftmax], fields: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        adapter(**fields)  # type: ignore[arg-type]
