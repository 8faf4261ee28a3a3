"""Losses in evaluation mode: against torch's own on a plain forward pass, and where none exist."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax, Softmax
from adapters.native.ghm_head import gradient_norm
from adapters.native.harmonising import bin_index
from adapters.ranking import GhmRanking, RankNet
from adapters.triplet import AngularTriplet
from harness.adapter import LossAdapter
from harness.config.recipe_tables import Augment
from harness.datasets.subset import Subset, training_sample
from harness.train.system import System, outputs_of
from harness.train.validation_losses import ClassLosses
from tests.train.small_training import RECIPE, Trunk, small_batches

CPU, CLASSES = torch.device("cpu"), ("c0", "c1", "c2")
SUBSET = small_batches(RECIPE).subset
LABELS = torch.tensor([row % 3 for row in range(len(SUBSET))])


def built(loss: LossAdapter, **augment: Any) -> Any:
    torch.manual_seed(1)
    model: Any = Trunk()
    return System(model, loss, 3, Augment(**augment))


def measured(system: System, subset: Subset = SUBSET, batch: int = 2) -> dict[str, float]:
    losses = ClassLosses(system, subset.items, CLASSES, batch)
    outputs_of(system, subset, "embedding", CPU, keep=losses.keep)
    assert losses.exist is bool(losses.values())
    return losses.values()


def embedded(system: System) -> torch.Tensor:
    return torch.from_numpy(outputs_of(system, SUBSET, "embedding", CPU))


def test_a_margin_is_in_the_weighted_loss_alone() -> None:
    """ArcFace's equation 3, written out: the cosine of the widened angle, scaled."""
    system = built(AamSoftmax(scale=8.0, margin=0.3))
    found = measured(system)
    embeddings = functional.normalize(embedded(system))
    cosine = embeddings @ functional.normalize(system.head.weight).T.detach()
    angle = cosine.acos() + 0.3 * functional.one_hot(LABELS, 3)
    # Past pi the cosine is shifted by a constant instead (see `widen_angle`).
    widened = torch.where(angle <= math.pi, angle.cos(), cosine - (1 - math.cos(0.3)))
    assert found["raw_loss"] == pytest.approx(
        float(functional.cross_entropy(8 * cosine, LABELS)), rel=1e-5
    )
    assert found["weighted_loss"] == pytest.approx(
        float(functional.cross_entropy(8 * widened, LABELS)), rel=1e-5
    )
    assert found["accuracy"] == int((cosine.argmax(1) == LABELS).sum()) / 6
    system.head.margin = 0.0  # as a schedule has it before the margin rises
    assert measured(system)["weighted_loss"] == pytest.approx(found["raw_loss"], rel=1e-6)


def test_harmonising_weighs_batches_as_in_training_and_moves_nothing() -> None:
    system = built(GhmClassification(bins=4, momentum=0.5))
    density = torch.tensor([0.1, 0.2, 0.3, 0.4])
    system.head.density.copy_(density)
    before = {name: value.clone() for name, value in system.state_dict().items()}
    found = measured(system, batch=3)
    assert all(torch.equal(value, before[name]) for name, value in system.state_dict().items())
    logits = system.head.logits(embedded(system)).detach()
    losses = functional.cross_entropy(logits, LABELS, reduction="none")
    assert found["raw_loss"] == pytest.approx(float(losses.mean()), rel=1e-5)
    place, total = bin_index(gradient_norm(logits, LABELS), bins=4), 0.0
    for rows in ([0, 2, 4], [1, 3, 5]):
        share = torch.bincount(place[rows], minlength=4) / 3
        weights = 1 / ((density + share) / 2)[place[rows]] / int((share > 0).sum())
        total += float((weights * losses[rows]).sum())
    assert found["weighted_loss"] == pytest.approx(total / 6, rel=1e-5)


def test_crops_of_an_item_count_as_one_each() -> None:
    system = built(Softmax())
    losses = ClassLosses(system, SUBSET.items, CLASSES, 4)
    rows = np.repeat(np.arange(6), 2)
    losses.keep(rows, torch.randn(12, 3, generator=torch.Generator().manual_seed(0)))
    embeddings = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    wanted = functional.cross_entropy(system.head.logits(embeddings), LABELS.repeat_interleave(2))
    assert losses.values()["raw_loss"] == pytest.approx(float(wanted.detach()), rel=1e-5)


def test_other_speakers_and_losses_on_pairs_have_no_class_loss() -> None:
    items = SUBSET.items.assign(label=["c0", "c1", "c2", "c0", "c1", "someone else"])
    assert measured(built(Softmax()), dataclasses.replace(SUBSET, items=items)) == {}
    assert measured(built(AngularTriplet())) == {}


def ranked(loss: LossAdapter) -> tuple[Any, ClassLosses]:
    """A system and the losses of its items in batches of three, each of another grade."""
    system = built(loss)
    grades = np.array([0.5, -1.0, 2.0, 0.0, -2.0, 1.0], dtype=np.float32)
    losses = ClassLosses(system, SUBSET.items, CLASSES, 3, grades)
    outputs_of(system, SUBSET, "embedding", CPU, keep=losses.keep)
    return system, losses


def test_a_loss_that_ranks_is_judged_by_the_pairs_of_its_batches() -> None:
    system, losses = ranked(RankNet())
    scores = system.head.logits(embedded(system)).squeeze(1).tolist()
    ordered = [(2, 0), (2, 4), (0, 4), (5, 3), (5, 1), (3, 1)]  # of rows 0, 2, 4 and of 1, 3, 5
    gaps = [scores[first] - scores[second] for first, second in ordered]
    loss = sum(math.log1p(math.exp(-gap)) for gap in gaps) / 6
    found = losses.values()
    assert found["raw_loss"] == pytest.approx(loss, rel=1e-5)
    assert found["weighted_loss"] == pytest.approx(loss, rel=1e-5)
    assert found["accuracy"] == pytest.approx(sum(gap > 0 for gap in gaps) / 6)


def test_what_a_harmonised_ranking_makes_of_its_pairs_is_looked_at() -> None:
    system, losses = ranked(GhmRanking(bins=4))
    density = torch.tensor([0.1, 0.2, 0.3, 0.4])
    system.head.density.copy_(density)
    found = losses.gradients()
    assert sum(found.vectors["gradient_norms"].values) == 6
    assert torch.equal(system.head.density, density)


def test_a_loss_that_ranks_has_none_of_items_without_grades() -> None:
    assert measured(built(RankNet())) == {}


def test_a_voice_at_its_own_speed_is_of_its_own_class() -> None:
    plain, fast = built(Softmax()), built(Softmax(), speeds=(0.9, 1.0))
    assert measured(built(Softmax(), speeds=(0.9, 1.1))) == {}
    with torch.no_grad():  # so sure of its middle classes that the others change nothing
        fast.head.classifier.weight[3:] = plain.head.classifier.weight
        fast.head.classifier.bias[:3] = -1e4
        fast.head.classifier.bias[3:] = plain.head.classifier.bias
        fast.trunk.load_state_dict(plain.trunk.state_dict())
    assert measured(fast) == pytest.approx(measured(plain))


def test_a_sample_is_spread_and_no_longer_than_validation() -> None:
    def of(lengths: list[int]) -> Subset:
        offsets = np.array([0, *np.cumsum(lengths)])
        pack = dataclasses.replace(SUBSET.pack, offsets=offsets)
        items = SUBSET.items.iloc[[0] * len(lengths)]
        count = np.arange(len(lengths))
        return Subset(items, count, count + 1, pack)

    training = of([50, 100, 200, 100, 100, 100])
    assert training_sample(training, of([100, 60])).rows.tolist() == [0, 3]
    assert training_sample(training, of([100] * 9)).rows.tolist() == [0, 1, 3, 4, 5]
    assert len(training_sample(training, of([10]))) == 0
