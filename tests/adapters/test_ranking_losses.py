"""Losses that rank against loops over pairs and the formulas of their papers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from adapters.ranking import GhmRanking, GhmRegression, MarginRanking, RankNet
from harness.adapter import Batch
from harness.testing import check_loss
from harness.train.item_gradients import item_gradients
from harness.train.system import ordered_pairs

SIZE = 5
GRADES = torch.tensor([0.3, -1.0, 2.0, 0.3, -0.2, 1.1], dtype=torch.float64)
PAIRS: list[Any] = [
    MarginRanking(),
    MarginRanking(margin=10.0),
    RankNet(),
    GhmRanking(),
    GhmRanking(momentum=0.0, density="exact"),
    GhmRanking(form="margin"),
]
ALL: list[Any] = [*PAIRS, GhmRegression(), GhmRegression(momentum=0.0, density="exact")]


def rows(count: int = len(GRADES)) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, SIZE, dtype=torch.float64, generator=generator)


def batch(grades: Tensor = GRADES) -> Batch:
    labels = torch.zeros(len(grades), dtype=torch.int64)
    return Batch(labels, pairs=ordered_pairs(grades), grades=grades)


def built(adapter: Any) -> Any:
    torch.manual_seed(1)
    return adapter.build(SIZE, 3).double()


def slow_gaps(head: Any) -> list[float]:
    scores = head.logits(rows()).squeeze(1).tolist()
    grades = GRADES.tolist()
    return [
        scores[i] - scores[k]
        for i in range(len(scores))
        for k in range(len(scores))
        if grades[i] > grades[k]
    ]


def logistic(gap: float) -> float:
    return math.log1p(math.exp(-gap))


def chance(gap: float) -> float:
    return 1 / (1 + math.exp(gap))


def hinge(gap: float) -> float:
    return max(0.0, 1.0 - gap)


def harmonised(norms: list[float], losses: list[float], bins: int = 10) -> float:
    places = [min(int(g * bins), bins - 1) for g in norms]
    filled = len(set(places))
    weights = [len(norms) / (places.count(place) * filled) for place in places]
    return sum(w * loss for w, loss in zip(weights, losses, strict=True)) / len(norms)


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_it_conforms(adapter: Any) -> None:
    check_loss(adapter)


@pytest.mark.parametrize(
    ("adapter", "loss"),
    [
        (RankNet(), logistic),
        (MarginRanking(), hinge),
        (MarginRanking(margin=10.0), lambda gap: max(0.0, 10.0 - gap)),
    ],
)
def test_a_loss_on_pairs_is_the_mean_over_them(adapter: Any, loss: Callable[..., float]) -> None:
    head = built(adapter)
    gaps = slow_gaps(head)
    output = head(rows(), batch())
    assert float(output.loss.detach()) == pytest.approx(sum(map(loss, gaps)) / len(gaps), rel=1e-6)
    right = sum(gap > 0 for gap in gaps) / len(gaps)
    assert output.statistics["Accuracy"] == pytest.approx(right)


@pytest.mark.parametrize(
    ("form", "loss", "norm"),
    [("logistic", logistic, chance), ("margin", hinge, lambda gap: float(gap < 1.0))],
)
def test_harmonised_pairs_are_weighed_by_their_own_gradient(
    form: Any, loss: Callable[..., float], norm: Callable[..., float]
) -> None:
    head = built(GhmRanking(form=form, momentum=0.0))
    gaps = slow_gaps(head)
    wanted = harmonised([norm(gap) for gap in gaps], [loss(gap) for gap in gaps])
    assert float(head(rows(), batch()).loss.detach()) == pytest.approx(wanted, rel=1e-6)


def test_ghm_r_is_the_papers_equations() -> None:
    head = built(GhmRegression(mu=0.5, momentum=0.0))
    scores = head.logits(rows()).squeeze(1).tolist()
    errors = [score - grade for score, grade in zip(scores, GRADES.tolist(), strict=True)]
    losses = [math.sqrt(d * d + 0.25) - 0.5 for d in errors]
    norms = [abs(d) / math.sqrt(d * d + 0.25) for d in errors]
    wanted = harmonised(norms, losses)
    assert float(head(rows(), batch()).loss.detach()) == pytest.approx(wanted, rel=1e-6)


def test_one_bin_weighs_every_pair_and_item_alike() -> None:
    one, plain = built(GhmRanking(bins=1)), built(RankNet())
    assert torch.allclose(one(rows(), batch()).loss, plain(rows(), batch()).loss)
    head = built(GhmRegression(bins=1))
    errors = head.logits(rows()).squeeze(1) - GRADES
    smooth = (errors.square() + 0.02**2).sqrt() - 0.02
    assert torch.allclose(head(rows(), batch()).loss, smooth.mean())


@pytest.mark.parametrize("adapter", PAIRS, ids=repr)
@pytest.mark.parametrize("grades", [torch.tensor([1.0]), torch.tensor([2.0, 2.0, 2.0])])
def test_a_batch_without_pairs_has_nothing_to_learn(adapter: Any, grades: Tensor) -> None:
    head, embeddings = built(adapter), rows(len(grades)).requires_grad_()
    output = head(embeddings, batch(grades))
    output.loss.backward()
    assert float(output.loss.detach()) == 0
    assert embeddings.grad is not None
    assert not embeddings.grad.any()


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_what_is_no_number_makes_the_loss_none_and_moves_no_density(adapter: Any) -> None:
    head, embeddings = built(adapter), rows()
    head(embeddings, batch())
    before = {name: value.clone() for name, value in head.state_dict().items()}
    embeddings[0, 0] = torch.nan
    assert head(embeddings, batch()).loss.isnan()
    assert all(torch.equal(value, before[name]) for name, value in head.state_dict().items())


@pytest.mark.parametrize("adapter", ALL, ids=repr)
def test_a_batch_that_ranks_nothing_is_refused(adapter: Any) -> None:
    with pytest.raises(ValueError, match="rank_by"):
        built(adapter)(rows(), Batch(torch.zeros(len(GRADES), dtype=torch.int64)))


@pytest.mark.parametrize("adapter", PAIRS, ids=repr)
def test_norms_and_weights_of_pairs_are_those_of_the_loss(adapter: Any) -> None:
    head = built(adapter).eval()
    found = item_gradients(head, rows(), batch())
    assert found is not None
    gaps = torch.tensor(slow_gaps(head), dtype=torch.float64).requires_grad_()
    losses, _ = head.losses(gaps)
    (pull,) = torch.autograd.grad(losses.sum(), gaps)
    assert torch.allclose(found.weighted_norms.sort().values, pull.abs().sort().values)
    assert torch.allclose(found.norms.sort().values, (-gaps).sigmoid().sort().values)
    assert torch.allclose(found.weights * found.norms, found.weighted_norms)


@pytest.mark.parametrize(
    ("adapter", "fields", "message"),
    [
        (MarginRanking, {"margin": 0.0}, "margin must be positive"),
        (GhmRanking, {"form": "cubic"}, "form must be logistic or margin, got 'cubic'"),
        (GhmRanking, {"margin": -1.0}, "margin must be positive"),
        (GhmRanking, {"bins": 0}, "bins must be at least 1"),
        (GhmRegression, {"mu": 0.0}, "mu must be positive"),
        (GhmRegression, {"density": "exact"}, "momentum must be 0 where the density is exact"),
    ],
)
def test_fields_that_make_no_sense_are_refused(
    adapter: type[Any], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        adapter(**fields)
