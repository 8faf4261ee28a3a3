"""A training as small as one can be: six sounds of three voices, a network of one layer."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import nn

from adapters.losses import AamSoftmax
from harness.adapter import Fbank
from harness.config.recipe_tables import LearningRate, Optimizer, Rise
from harness.config.recipes import Recipe
from harness.datasets.packing.pack import Pack
from harness.datasets.subset import Subset
from harness.feeding.batches import TrainingBatches
from harness.train.loop import train
from harness.train.system import System
from harness.train.training_plan import TrainingPlan, Validation
from harness.train.training_progress import TrainingResult

ITEMS, SAMPLES = 6, 800
RECIPE = Recipe(
    batch=2, steps=6, crop_seconds=0.05, validations=3, checkpoints=6,
    optimizer=Optimizer(lr=0.1), learning_rate=LearningRate(shape="constant", warmup=0),
    schedules={"margin": Rise(shape="linear", start=0.0, end=1.0)},
)  # fmt: skip
SCORES = {2: 0.3, 4: 0.1, 6: 0.2, 8: 0.15, 10: 0.4, 12: 0.25}
"""What the validation split says after each of its steps."""


class StopError(Exception):
    """Cuts a training off."""


@dataclass(frozen=True)
class Trunk:
    """A network of one layer."""

    embedding_size = 3
    version = 1

    def inputs(self) -> Fbank:
        return Fbank(bins=4, dither=1.0, subtract_mean=False)

    def build(self) -> nn.Module:
        return nn.Sequential(_Mean(), nn.Linear(4, 3), nn.Dropout(0.5))


class _Mean(nn.Module):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features.mean(1)


def trained(
    folder: Path,
    recipe: Recipe = RECIPE,
    stop_at: int | None = None,
    fabric: Fabric | None = None,
    system: System | None = None,
    **changes: Any,
) -> tuple[TrainingResult, dict[int, dict[str, torch.Tensor]]]:
    """Train in a folder; gives the result and the weights after every validation."""
    system = system or small_system(recipe)
    seen: dict[int, dict[str, torch.Tensor]] = {}
    done = 0

    def report(step: int, steps: int, loss: float) -> None:
        nonlocal done
        done = step
        if step == stop_at:
            raise StopError

    def validate(judged: System) -> Validation:
        judged.eval()
        seen[done] = {name: value.clone() for name, value in judged.state_dict().items()}
        return Validation({"eer": SCORES[done], "threshold": 0.5})

    plan = TrainingPlan(
        recipe=recipe, batches=small_batches(recipe), validate=validate, primary="eer",
        higher_is_better=False, scheduled=("margin",), folder=folder, seed=3, report=report,
    )  # fmt: skip
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    return train(system, dataclasses.replace(plan, **changes), fabric), seen


def small_system(recipe: Recipe) -> System:
    torch.manual_seed(1)
    return System(Trunk(), AamSoftmax(), 3, recipe.augment)


def small_batches(recipe: Recipe) -> TrainingBatches:
    values = np.random.Generator(np.random.PCG64(0)).normal(0, 3000, ITEMS * SAMPLES)
    offsets = np.arange(ITEMS + 1) * SAMPLES
    pack = Pack(values.astype(np.int16), offsets, np.full((ITEMS, 1), SAMPLES), "", {})
    labels = [f"c{row % 3}" for row in range(ITEMS)]
    items = pd.DataFrame({"id": [str(row) for row in range(ITEMS)], "label": labels})
    subset = Subset(items, np.arange(ITEMS), np.arange(1, ITEMS + 1), pack)
    classes, speeds = ("c0", "c1", "c2"), recipe.augment.speeds
    return TrainingBatches(subset, classes, recipe.batch, recipe.crop_seconds, 3, speeds)


def logged(folder: Path) -> list[dict[str, Any]]:
    """The values of each step of a training's series, by group; no times."""
    lines = [json.loads(line) for line in (folder / "series.jsonl").read_text().splitlines()]
    return [
        {"step": line["step"], "epoch": line["epoch"]}
        | {
            group: {
                name.partition("/")[2]: value
                for name, value in line["values"].items()
                if name.startswith(prefix)
            }
            for group, prefix in (("train", "Train/"), ("validation", "Test/"))
        }
        for line in lines
        if "values" in line and "vector" not in line
    ]


def check_equal(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    """Hold two state dicts against each other, bit by bit."""
    assert set(found) == set(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
