"""Softmaxes with a margin as adapters: promises, known cases, numbers at their limits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from adapters.losses import AamSoftmax, AdaFace, AmSoftmax, HamSoftmax, SubcenterAam
from harness.adapter import Batch
from harness.testing import check_loss

SIZE, CLASSES = 6, 4
LABELS = [0, 1, 2, 3, 1]
Margin = AmSoftmax | SubcenterAam | HamSoftmax | AdaFace
ADAPTERS: list[Margin] = [
    AmSoftmax(),
    AmSoftmax(margin=0.0),
    SubcenterAam(),
    SubcenterAam(sub_centers=1, top_k=0),
    SubcenterAam(sub_centers=2, top_k=1, inter_margin=0.1),
    HamSoftmax(),
    HamSoftmax(curvature=1.0, margin=0.0),
    AdaFace(),
]


def built(adapter: Margin | AamSoftmax) -> Any:
    torch.manual_seed(1)
    return adapter.build(SIZE, CLASSES)


def embeddings() -> Tensor:
    return torch.randn(len(LABELS), SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
def test_it_conforms(adapter: Margin) -> None:
    check_loss(adapter)


def test_one_centre_and_no_rival_is_aam() -> None:
    plain = built(AamSoftmax(scale=20.0, margin=0.4))
    reduced = built(SubcenterAam(sub_centers=1, top_k=0, scale=20.0, margin=0.4))
    batch = Batch(torch.tensor(LABELS))
    assert torch.equal(plain(embeddings(), batch).loss, reduced(embeddings(), batch).loss)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
def test_a_mixed_example_weighs_both_labels(adapter: Margin) -> None:
    head, rows, labels = built(adapter).double(), embeddings().double(), torch.tensor(LABELS)
    share = torch.full((len(LABELS),), 0.3, dtype=torch.float64)
    mixed = head(rows, Batch(labels, mix_labels=labels.flip(0), mix_weights=share)).loss
    first, second = head(rows, Batch(labels)).loss, head(rows, Batch(labels.flip(0))).loss
    assert torch.allclose(mixed, 0.3 * first + 0.7 * second)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_on_and_opposite_a_class(
    adapter: Margin, sign: float, dtype: torch.dtype
) -> None:
    head = built(adapter).to(dtype)
    centres = head.weight.detach().reshape(CLASSES, -1, SIZE)[:, 0]
    for shift in (0, 1):  # the example lies on its own class, then on a rival's
        rows = (sign * centres.roll(shift, dims=0)[LABELS]).requires_grad_()
        head(rows, Batch(torch.tensor(LABELS))).loss.backward()
        assert rows.grad is not None
        assert rows.grad.isfinite().all()
    assert all(w.grad is not None and w.grad.isfinite().all() for w in head.parameters())


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_embeddings_are_taken_and_cosines_not_rounded(
    adapter: Margin, dtype: torch.dtype
) -> None:
    head, rows, batch = built(adapter), embeddings().to(dtype), Batch(torch.tensor(LABELS))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = head(rows, batch)
    assert output.logits.dtype == torch.float32
    assert torch.equal(output.logits, head.logits(rows.float()))
    assert torch.allclose(output.loss, head(rows.float(), batch).loss)


@pytest.mark.parametrize(
    "adapter",
    [AmSoftmax(margin=0.3), SubcenterAam(inter_margin=0.2), HamSoftmax(), AdaFace()],
)
def test_a_scheduled_margin_is_used_from_the_next_step(adapter: Margin) -> None:
    head, rows, batch = built(adapter), embeddings(), Batch(torch.tensor(LABELS))
    full = head(rows, batch).loss
    for name in adapter.scheduled:
        if name.endswith("margin"):
            setattr(head, name, 0.0)
            smaller = head(rows, batch).loss
            assert smaller < full
            full = smaller
    plain = functional.cross_entropy(head.logits(rows), batch.labels)
    assert torch.allclose(full, plain)


@pytest.mark.parametrize(
    ("adapter", "fields", "message"),
    [
        (AmSoftmax, {"scale": 0.0}, "scale must be positive"),
        (AmSoftmax, {"margin": -0.1}, "margin is a difference of cosines"),
        (AmSoftmax, {"margin": 2.0}, "margin is a difference of cosines"),
        (SubcenterAam, {"sub_centers": 0}, "sub_centers must be at least 1"),
        (SubcenterAam, {"top_k": -1}, "top_k must not be negative"),
        (SubcenterAam, {"scale": -1.0}, "scale must be positive"),
        (SubcenterAam, {"margin": 11.5}, "^margin is in radians"),
        (SubcenterAam, {"inter_margin": -0.06}, "inter_margin is in radians"),
        (HamSoftmax, {"curvature": 0.5}, "curvature must be at least 1"),
        (HamSoftmax, {"scale": 0.0}, "scale must be positive"),
        (HamSoftmax, {"margin": -0.1}, "margin must not be negative"),
        (AdaFace, {"scale": 0.0}, "scale must be positive"),
        (AdaFace, {"margin": 1.0}, "margin must be from 0 to under 1"),
        (AdaFace, {"concentration": 0.0}, "concentration must be positive"),
        (AdaFace, {"momentum": 1.0}, "momentum must be from 0 to under 1"),
    ],
)
def test_fields_that_make_no_sense_are_refused(
    adapter: type[Margin], fields: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        adapter(**fields)  # type: ignore[arg-type]
