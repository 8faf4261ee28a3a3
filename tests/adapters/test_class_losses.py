"""SphereFace2, weighed softmaxes and angular triplets as adapters: promises and limits."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor

from adapters.class_losses import ClassBalancedSoftmax, FocalSoftmax, SphereFace2
from adapters.losses import Softmax
from adapters.triplet import AngularTriplet
from harness.adapter import Batch, build_head
from harness.config.imports import construct
from harness.testing import check_loss

SIZE, CLASSES = 6, 4
LABELS = [0, 1, 2, 3, 1]
Classifier = SphereFace2 | FocalSoftmax | ClassBalancedSoftmax
CLASSIFIERS: list[Classifier] = [
    SphereFace2(),
    SphereFace2(margin_type="A", margin=0.15),
    SphereFace2(exponent=1.0, balance=0.5),
    FocalSoftmax(),
    FocalSoftmax(gamma=0.5),
    ClassBalancedSoftmax(),
    ClassBalancedSoftmax(beta=0.0),
]
TRIPLETS: list[AngularTriplet] = [
    AngularTriplet(),
    AngularTriplet(mining="semi-hard"),
    AngularTriplet(mining="all"),
]


def built(adapter: Classifier | AngularTriplet | Softmax) -> Any:
    torch.manual_seed(1)
    return build_head(adapter, SIZE, CLASSES, [3, 1, 7, 20])


def embeddings() -> Tensor:
    return torch.randn(len(LABELS), SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("adapter", [*CLASSIFIERS, *TRIPLETS], ids=repr)
def test_it_conforms(adapter: Classifier | AngularTriplet) -> None:
    check_loss(adapter)


def test_focal_softmax_of_gamma_0_is_softmax() -> None:
    batch = Batch(torch.tensor(LABELS))
    one, two = (
        built(adapter)(embeddings(), batch) for adapter in (FocalSoftmax(gamma=0), Softmax())
    )
    assert torch.equal(one.loss, two.loss)
    assert torch.equal(one.logits, two.logits)


@pytest.mark.parametrize("adapter", CLASSIFIERS, ids=repr)
def test_a_mixed_example_weighs_both_labels(adapter: Classifier) -> None:
    head, rows, labels = built(adapter).double(), embeddings().double(), torch.tensor(LABELS)
    share = torch.full((len(LABELS),), 0.3, dtype=torch.float64)
    mixed = head(rows, Batch(labels, mix_labels=labels.flip(0), mix_weights=share)).loss
    first, second = head(rows, Batch(labels)).loss, head(rows, Batch(labels.flip(0))).loss
    assert torch.allclose(mixed, 0.3 * first + 0.7 * second)


@pytest.mark.parametrize("margin_type", ["C", "A"])
@pytest.mark.parametrize("exponent", [1.0, 2.5, 3.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_sphereface2_is_finite_on_and_opposite_a_class(
    margin_type: Any, exponent: float, sign: float
) -> None:
    head = built(SphereFace2(margin_type=margin_type, exponent=exponent))
    centres = head.weight.detach()
    for shift in (0, 1):  # the example lies on its own class, then on another
        rows = (sign * centres.roll(shift, dims=0)[LABELS]).requires_grad_()
        head(rows, Batch(torch.tensor(LABELS))).loss.backward()
        assert rows.grad is not None
        assert rows.grad.isfinite().all()
    assert all(w.grad is not None and w.grad.isfinite().all() for w in head.parameters())


@pytest.mark.parametrize("adapter", CLASSIFIERS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_embeddings_are_taken(adapter: Classifier, dtype: torch.dtype) -> None:
    head, rows, batch = built(adapter), embeddings().to(dtype), Batch(torch.tensor(LABELS))
    plain = head(rows, batch)
    assert torch.equal(plain.loss, head(rows.float(), batch).loss)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = head(rows, batch)
    assert cast.loss.dtype == torch.float32
    assert torch.allclose(cast.loss, plain.loss, rtol=0.02)


def test_autocast_does_not_round_the_similarities_of_sphereface2() -> None:
    head, rows = built(SphereFace2()), embeddings()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = head.logits(rows)
    assert torch.equal(logits, head.logits(rows))


@pytest.mark.parametrize("margin_type", ["C", "A"])
def test_a_scheduled_margin_is_used_from_the_next_step(margin_type: Any) -> None:
    head = built(SphereFace2(margin_type=margin_type))
    rows, batch = embeddings(), Batch(torch.tensor(LABELS))
    full = head(rows, batch).loss
    head.margin = 0.0
    assert head(rows, batch).loss < full


def test_triplets_say_what_they_need_of_a_batch() -> None:
    assert AngularTriplet.needs == {"pk", "full_batch"}
    assert AngularTriplet.scheduled == ("margin",)


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("adapters.class_losses:SphereFace2", "scale", 16),
        ("adapters.class_losses:SphereFace2", "margin", 0.1),
        ("adapters.class_losses:SphereFace2", "balance", 0.5),
        ("adapters.class_losses:SphereFace2", "exponent", 1.0),
        ("adapters.class_losses:SphereFace2", "margin_type", "A"),
        ("adapters.class_losses:FocalSoftmax", "gamma", 0.5),
        ("adapters.class_losses:ClassBalancedSoftmax", "beta", 0.5),
        ("adapters.triplet:AngularTriplet", "margin", 0.1),
        ("adapters.triplet:AngularTriplet", "mining", "semi-hard"),
    ],
)
def test_every_field_of_a_table_changes_the_loss(path: str, name: str, value: Any) -> None:
    batch = Batch(torch.tensor([0, 1, 0, 1, 1]))
    usual, changed = (
        built(construct(path, fields, "losses.example"))(embeddings(), batch).loss
        for fields in ({}, {name: value})
    )
    assert not torch.allclose(usual, changed)


@pytest.mark.parametrize(
    ("adapter", "fields", "message"),
    [
        (SphereFace2, {"scale": 0.0}, "scale must be positive"),
        (SphereFace2, {"margin": 2.0}, "margin must be from 0 to under 2,"),
        (SphereFace2, {"margin": 3.2, "margin_type": "A"}, "margin must be from 0 to under 3.142"),
        (SphereFace2, {"margin_type": "M"}, "margin_type must be C or A, got 'M'"),
        (SphereFace2, {"balance": 1.0}, "balance must be between 0 and 1"),
        (SphereFace2, {"exponent": 0.5}, "exponent must be at least 1"),
        (FocalSoftmax, {"gamma": -1.0}, "gamma must not be negative"),
        (ClassBalancedSoftmax, {"beta": 1.0}, "beta must be from 0 to under 1"),
        (AngularTriplet, {"margin": 3.2}, "margin is in radians"),
        (AngularTriplet, {"mining": "hard"}, "hardest, semi-hard or all, got 'hard'"),
    ],
)
def test_fields_that_make_no_sense_are_refused(
    adapter: type[Any], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        adapter(**fields)


@pytest.mark.parametrize("counts", [[3, 1, 7], [3, 1, 7, 0]])
def test_counts_that_do_not_tell_of_every_class_are_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="of each of 4 classes, one or more"):
        ClassBalancedSoftmax().build(SIZE, CLASSES, counts=counts)


def test_a_loss_that_counts_is_not_built_without() -> None:
    with pytest.raises(TypeError, match="ClassBalancedSoftmax needs the number of training items"):
        build_head(ClassBalancedSoftmax(), SIZE, CLASSES)


def test_reading_the_adapters_imports_no_torch() -> None:
    code = (
        "import sys, adapters.class_losses, adapters.triplet\n"
        "raise SystemExit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
