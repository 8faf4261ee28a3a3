"""A step in parts in lock-step beside the same step undivided, and in parts that normalise alone.

Forward and backward passes of 16 crops of 1 s, in four parts. Without a GPU nothing is moved to
main memory: what is timed is meeting, and the statistics' two passes of their own.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Literal

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from adapters.losses import AamSoftmax
from adapters.speechbrain import EcapaTdnn
from adapters.wespeaker import ResNet34
from harness.adapter import ModelAdapter
from harness.budget.prediction import Workload, predict_training
from harness.config.recipes import Recipe
from harness.train.gradient_accumulation import Precision, learn
from harness.train.system import System
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns

pytestmark = ON_THE_PROCESSOR

BATCH, PART, FRAMES, BINS, CLASSES = 16, 4, 100, 80, 50
ROUNDS = 3
PLAIN = Precision(nullcontext, torch.Tensor.backward)
RECIPE = Recipe(steps=1, batch=BATCH)


def step(system: System, part: int | None, norm: Literal["parts", "full"]) -> None:
    system.zero_grad(set_to_none=True)
    inputs = torch.randn(BATCH, FRAMES, BINS, generator=torch.Generator().manual_seed(0))
    learn(system, inputs, torch.arange(BATCH), part, PLAIN, norm)


def peak(model: ModelAdapter, part: int | None, norm: Literal["parts", "full"]) -> int:
    """The predicted peak of a step on a GPU, in bytes of tensors."""
    recipe = RECIPE.model_copy(update={"batch_norm": norm})
    work = Workload(model, AamSoftmax(), CLASSES, (16_000,), recipe)
    return predict_training(work, BATCH, part).peak


@pytest.mark.parametrize(
    ("model", "longer"), [(EcapaTdnn(), 2.5), (ResNet34(), 2.5)], ids=["ECAPA-TDNN", "ResNet34"]
)
def test_a_divided_step(
    model: ModelAdapter, longer: float, benchmark: BenchmarkFixture, figures: list[Figure]
) -> None:
    system = System(model, AamSoftmax(), CLASSES).train()
    rivals = {
        "undivided": Contestant[object](partial(step, system, None, "parts")),
        "alone": Contestant[object](partial(step, system, PART, "parts")),
    }
    ours = Contestant[object](partial(step, system, PART, "full"))
    ratios = take_turns(benchmark, ours, rivals, rounds=ROUNDS)
    name = type(model).__name__
    what, times = f"a step of {name} in lock-step", "times the undivided step's"
    whole = peak(model, None, "parts")
    figures += [
        Figure(what, 1 / ratios["undivided"], f"{times} processor time", most=longer),
        Figure(f"{what}, parts alone", ratios["alone"] / ratios["undivided"], f"{times} time"),
        Figure(what, peak(model, PART, "full") / whole, f"{times} peak on a GPU, told", most=0.8),
        Figure(f"{what}, parts alone", peak(model, PART, "parts") / whole, f"{times} peak, told"),
    ]
    assert missed(figures) == []
