"""A recipe made to fit a budget: parts first, then activations made again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from harness.adapter import Fbank, Vector
from harness.budget.fit_to_budget import (
    WORKSPACES,
    BudgetFit,
    embedding_step,
    fit_to_budget,
    largest_inference,
    largest_training,
    prediction,
    without_workspaces,
)
from harness.budget.prediction import Workload, predict_inference, predict_training
from harness.budget.step_memory import StepMemory
from tests.budget.test_prediction import MIB, turns, work


def taken(step: StepMemory) -> int:
    reserved = step.reserved()
    assert reserved is not None
    return reserved


@dataclass(frozen=True)
class Stack:
    """A network of eight layers that may compute each layer's activations again."""

    checkpointing: bool = False
    version: ClassVar[int] = 1
    embedding_size: int = 16

    def inputs(self) -> Fbank:
        return Fbank()

    def build(self) -> nn.Module:
        again = self.checkpointing

        class Trunk(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layers = nn.ModuleList(layer(80) for _ in range(8))
                self.last = nn.Linear(80, 16)

            def forward(self, features: Tensor) -> Tensor:
                hidden = features.transpose(1, 2)
                for each in self.layers:
                    hidden = (
                        checkpoint(each, hidden, use_reentrant=False) if again else each(hidden)
                    )
                return self.last(hidden.mean(-1))

        return Trunk()


def made_again(module: nn.Module, inputs: Tensor) -> Tensor:
    return checkpoint(module, inputs, use_reentrant=False)


def layer(size: int) -> nn.Module:
    convolution = nn.Conv1d(size, size, 3, padding=1)
    return nn.Sequential(convolution, nn.BatchNorm1d(size), nn.ReLU(), nn.Tanh())


def stack(**recipe: object) -> Workload:
    return replace(work("xvector", **recipe), model=Stack())


@dataclass(frozen=True)
class Wide:
    """Four layers whose activations are most of a step."""

    checkpointing: bool = False
    version: ClassVar[int] = 1
    embedding_size: int = 16

    def inputs(self) -> Vector:
        return Vector(size=64)

    def build(self) -> nn.Module:
        return nn.Sequential(
            nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 32, 1), *(layer(32) for _ in range(4)),
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 16),
        )  # fmt: skip


def wide(**recipe: object) -> Workload:
    asked = work("xvector", batch_norm="full", **recipe)
    return replace(asked, model=Wide(), item=(64,), on_gpu=True)


@pytest.fixture(scope="module", params=["stack", pytest.param("eres2net", marks=pytest.mark.long)])
def asked(request: pytest.FixtureRequest) -> Workload:
    if request.param == "stack":
        return stack(batch=32)
    return work(request.param, batch=32)


def test_what_fits_stays_as_it_is(asked):
    step = predict_training(asked, 32, None)
    found = fit_to_budget(asked, taken(step))
    assert found == BudgetFit(None, False, step)


def test_the_largest_part_is_even_and_fits(asked):
    limit = taken(predict_training(asked, 32, None)) * 3 // 5
    found = fit_to_budget(asked, limit)
    assert found.part in (8, 11, 16)
    assert not found.checkpointing
    assert found.fits
    assert predict_training(asked, 32, found.part).reserved(limit) is not None
    fewer_parts = -(-32 // (-(-32 // found.part) - 1))
    assert predict_training(asked, 32, fewer_parts).reserved(limit) is None


def test_activations_are_made_again_where_parts_would_be_too_small(asked):
    limit = taken(predict_training(asked, 32, 4))
    found = fit_to_budget(asked, limit)
    assert found.checkpointing
    assert found.part is None or found.part >= 8
    assert found.fits


def test_a_budget_that_nothing_fits_is_told(asked):
    found = fit_to_budget(asked, MIB)
    assert not found.fits
    assert found.part == 2
    assert found.checkpointing


def test_parts_that_the_recipe_names_stay_where_they_fit():
    asked = stack(batch=32, micro_batch=16)
    assert fit_to_budget(asked, 2**40).part == 16
    limit = taken(predict_training(asked, 32, 9))
    assert fit_to_budget(asked, limit).part in (8, 11)


def test_in_lockstep_what_waits_is_in_main_memory():
    asked = wide(batch=64)
    whole, parts = (predict_training(asked, 64, part) for part in (None, 16))
    assert parts.peak < 0.75 * whole.peak
    assert parts.host == pytest.approx(whole.activations, rel=0.1)
    assert predict_training(asked, 64, 16, fake=False).peak == parts.peak
    on_processor = predict_training(replace(asked, on_gpu=False), 64, 16)
    assert on_processor.host == 0
    assert on_processor.peak > 0.9 * whole.peak
    assert prediction(parts, 2**40).host == parts.host
    assert "host" not in prediction(whole, 2**40).model_dump()


def test_few_parts_in_lockstep_are_chosen():
    asked = wide(batch=96)
    thirds = predict_training(asked, 96, 32)
    found = fit_to_budget(asked, taken(thirds))
    assert found in (BudgetFit(32, False, thirds), BudgetFit(48, False, found.step))
    assert fit_to_budget(asked, taken(found.step)) == found
    assert not fit_to_budget(asked, MIB // 2).fits


def test_a_step_that_is_known_already_tells_the_same_largest_batch():
    asked, limit = work("xvector", batch=32), 2000 * MIB
    found = fit_to_budget(asked, limit)
    assert found.whole is found.step
    assert largest_training(asked, limit, found.whole) == largest_training(asked, limit)


def test_embedding_any_batch_is_told_as_a_pass_of_its_own_tells_it():
    asked = work("resnet34")
    told, seen = embedding_step(asked)(9), predict_inference(asked, 9)
    assert told == seen


def test_the_largest_batch_of_a_loss_over_pairs_fits_and_the_next_one_does_not():
    asked, limit = turns(), 24 * MIB
    found = largest_training(asked, limit)
    assert found > 64
    assert predict_training(asked, found, None).reserved(limit) is not None
    assert predict_training(asked, found + 1, None).reserved(limit) is None


def test_the_largest_batches_fit_and_the_next_ones_do_not():
    asked, limit = replace(work("xvector"), on_gpu=True), 600 * MIB
    trained, embedded = (
        largest_training(asked, limit),
        largest_inference(embedding_step(asked), limit),
    )
    assert 2 <= trained < embedded
    assert predict_training(asked, trained, None).reserved(limit) is not None
    assert predict_training(asked, trained + 1, None).reserved(limit) is None
    assert predict_inference(asked, embedded).reserved(limit) is not None
    assert predict_inference(asked, embedded + 1).reserved(limit) is None


def test_raw_items_are_held_while_they_are_embedded():
    asked = work("resnet34", seconds=2.0)
    told, features = predict_inference(asked, 16), 16 * 198 * 80 * 4
    raw = 16 * asked.item[0] * 4
    assert told.inputs == pytest.approx(raw + features, rel=0.02)
    assert told.peak > told.parameters + told.inputs


def test_a_prediction_is_of_the_limit_that_is_measured_under():
    asked = replace(work("spectrogram-resnet", seconds=1.0), on_gpu=True)
    step = predict_training(asked, 32, None)
    tight = next(limit for limit in range(step.peak, 2 * step.peak, MIB) if step.reserved(limit))
    freely = taken(step)
    assert tight < freely  # its tensors differ in size
    told = prediction(step, tight)
    assert (told.reserved, told.unlimited) == (step.reserved(tight), freely)
    assert told.reserved <= tight
    roomy = prediction(step, freely)
    assert (roomy.reserved, roomy.unlimited) == (freely, freely)
    assert prediction(step, MIB).reserved == freely  # it does not fit


def test_a_plan_leaves_room_for_kernels():
    assert without_workspaces(4608 * MIB) == 4608 * MIB - WORKSPACES
    assert without_workspaces(80 * MIB) == 70 * MIB  # of a tiny card not all of it


def test_one_part_more_is_tried_before_many_more():
    asked = stack(batch=32, micro_batch=16)
    limit = taken(predict_training(asked, 32, 11))
    assert fit_to_budget(asked, limit).part == 11
