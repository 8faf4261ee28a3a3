"""A recipe that does not fit learns the same in parts, as far as its network lets it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch
from torch import nn

from harness.adapter import Fbank
from harness.budget.prediction import Workload
from harness.config.recipes import Recipe
from harness.train.gradient_accumulation import Precision, learn, parts_of
from harness.train.optimization import make_optimizer
from harness.train.system import System
from tests.budget.test_prediction import work

BATCH, STEPS, CLASSES, SAMPLES = 20, 30, 5, 4000


@dataclass(frozen=True)
class Convolutions:
    """A small network, normalised over items or over channels."""

    over_items: bool = False
    embedding_size = 16
    version = 1

    def inputs(self) -> Fbank:
        return Fbank(bins=24)

    def build(self) -> nn.Module:
        norm = nn.BatchNorm1d(32) if self.over_items else nn.GroupNorm(4, 32)
        return nn.Sequential(
            _Turned(), nn.Conv1d(24, 32, 3), norm, nn.ReLU(), nn.AdaptiveAvgPool1d(1),
            nn.Flatten(), nn.Linear(32, 16),
        )  # fmt: skip


class _Turned(nn.Module):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features.transpose(1, 2)


def asked(loss: str, *, over_items: bool = False) -> Workload:
    recipe = Recipe.model_validate({"steps": STEPS, "batch": BATCH, "optimizer": {"lr": 3e-3}})
    found = replace(work("xvector", loss), model=Convolutions(over_items), classes=CLASSES)
    return replace(found, item=(SAMPLES,), recipe=recipe)


def curve(training: Workload, part: int | None) -> list[float]:
    """The loss of every step."""
    assert training.recipe is not None
    torch.manual_seed(0)
    system = System(training.model, training.loss, CLASSES)
    system.train()
    optimizer = make_optimizer(training.recipe.optimizer, system.parameters())
    precision = Precision(partial(torch.autocast, "cpu", enabled=False), torch.Tensor.backward)
    losses = []
    for step in range(STEPS):
        generator = torch.Generator().manual_seed(step)
        labels = torch.randint(CLASSES, (BATCH,), generator=generator)
        pitch = 0.05 * (1 + labels[:, None])
        waves = torch.sin(pitch * torch.arange(SAMPLES)) * 0.1
        waves += 0.01 * torch.randn(BATCH, SAMPLES, generator=generator)
        optimizer.zero_grad(set_to_none=True)
        losses.append(learn(system, system.inputs(waves), labels, part, precision).loss)
        optimizer.step()
    return losses


@pytest.mark.parametrize("part", [10, 7, 3])
@pytest.mark.parametrize("loss", ["softmax", "aam", "ghm"])
def test_the_loss_curve_is_that_of_the_whole_batch(loss, part):
    whole, parts = curve(asked(loss), None), curve(asked(loss), part)
    assert parts == pytest.approx(whole, abs=1e-4)
    assert whole[-1] < 0.95 * whole[0]


def test_batch_normalisation_sees_a_part_and_so_the_curve_differs():
    training = asked("softmax", over_items=True)
    whole, parts = curve(training, None), curve(training, 7)
    assert max(abs(one - other) for one, other in zip(whole, parts, strict=True)) > 1e-3
    assert parts[-1] == pytest.approx(whole[-1], rel=0.5)


def test_parts_are_even_within_one():
    assert [len(each) for each in torch.tensor_split(torch.arange(20), parts_of(20, 7))] == [
        7,
        7,
        6,
    ]
    assert parts_of(128, 22) == 6
