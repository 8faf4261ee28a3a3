"""Memory of features that are made within the step, against steps that make them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from harness.adapter import Fbank
from harness.budget.prediction import Workload, predict_inference, predict_training
from harness.budget.step_memory import StepMemory, peak_of, step_at_any_batch
from harness.budget.tracing import StorageTrace
from harness.config.recipes import Recipe
from harness.feeding import log_mel
from harness.run.job import benchmark_target
from harness.train.optimization import make_optimizer
from harness.train.system import System, example_labels
from tests.budget.test_prediction import work

BATCH = 12
MASKED = {"frequency_mask": 8, "time_mask": 5}


@dataclass(frozen=True)
class Mean:
    """The mean over time: features take more than all that is made of them."""

    version: ClassVar[int] = 1
    embedding_size: ClassVar[int] = 80

    def inputs(self) -> Fbank:
        return Fbank()

    def build(self) -> nn.Module:
        class Trunk(nn.Linear):
            def forward(self, features: Tensor) -> Tensor:
                return super().forward(features.mean(1))

        return Trunk(80, 80)


def asked(model: str, **recipe: Any) -> Workload:
    if model == "mean":
        return replace(work("xvector", augment=MASKED, **recipe), model=Mean(), on_gpu=True)
    return replace(work(model, augment=MASKED, **recipe), on_gpu=True)


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step's features come of several small blocks, and its optimiser works on all weights."""

    def forward(self: log_mel.LogMel, wave: Tensor, generator: object = None) -> Tensor:
        return self.in_blocks(wave * self.declared.scale)

    def together(*given: Any, fused: bool) -> torch.optim.Optimizer:
        assert fused, "as a processor has it"
        made = make_optimizer(*given)
        for group in made.param_groups:
            group["foreach"] = True
        return made

    monkeypatch.setattr(log_mel, "BLOCK", 150)
    monkeypatch.setattr(log_mel.LogMel, "forward", forward)
    monkeypatch.setattr(benchmark_target, "made_ahead", lambda _: False)
    monkeypatch.setattr(benchmark_target, "make_optimizer", together)


def seen(work: Workload, batch: int, recipe: Recipe) -> StepMemory:
    """Memory of the second of two steps with real numbers."""
    system = System(work.model, work.loss, work.classes, recipe.augment)
    crops = torch.randn((batch, *work.item))
    host: Any = SimpleNamespace(to=lambda _: crops.clone())  # a copy, as on another device
    labels = example_labels(recipe, batch, work.classes)
    step = benchmark_target.learning_step(system, recipe, host, labels)
    with StorageTrace() as trace:
        trace.watch([*system.parameters(), *system.buffers(), labels])
        step()
        begins = len(trace.events)
        step()
        events = tuple(trace.events)
    return StepMemory(0, peak_of(events, begins), events=events, steady=begins)


@pytest.mark.parametrize(
    ("model", "part"),
    [("mean", None), ("xvector", None), ("xvector", 4), ("spectrogram-resnet", 6)],
)
@pytest.mark.usefixtures("as_on_a_gpu")
def test_a_step_that_makes_its_features_is_told_to_the_byte(model: str, part: int | None) -> None:
    work = asked(model, batch=BATCH, micro_batch=part)
    told, found = predict_training(work, BATCH, part), seen(work, BATCH, work.asked)
    assert told.peak == found.peak
    assert told.reserved() == found.reserved()


def test_features_may_be_most_of_a_step() -> None:
    there = predict_training(asked("mean", batch=BATCH), BATCH, None)
    here = predict_training(replace(asked("mean", batch=BATCH), on_gpu=False), BATCH, None)
    assert there.inputs == here.inputs
    # A block's frames, windowed and padded, and their spectra.
    assert there.peak - here.peak > 4 * log_mel.BLOCK * (400 + 512 + 2 * 257)


def test_features_of_items_that_are_embedded_are_made_beside_them() -> None:
    told, raw = predict_inference(asked("mean"), BATCH), 4 * BATCH * asked("mean").item[0]
    assert told.peak > 2 * raw + 4 * log_mel.BLOCK * (400 + 512 + 2 * 257)
    assert peak_of(told.events, len(told.events) - 1) >= told.parameters + raw


@pytest.mark.parametrize("seconds", [0.6, 5.0])
def test_two_batches_tell_every_other_with_their_features(seconds: float) -> None:
    work, traced = replace(asked("mean"), item=(round(16_000 * seconds),)), list[int]()

    def step(batch: int) -> StepMemory:
        traced.append(batch)
        return predict_training(work, batch, None)

    told = step_at_any_batch(step, 4, 12)(37)
    assert traced == [4, 12]  # whose sounds may be of one block, and of several
    assert told == step(37)
