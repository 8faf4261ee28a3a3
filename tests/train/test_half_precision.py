"""A recipe's precision is what its network computes in, whole batches or parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax
from harness.adapter import LossAdapter
from harness.train.loop import train
from harness.train.system import System
from harness.train.training_plan import TrainingPlan
from tests.train import test_mining as small


class Noting(nn.Module):
    """Passes values on and notes their types."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[torch.dtype] = set()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.seen.add(values.dtype)
        return values


@dataclass(frozen=True)
class Trunk(small.Trunk):
    """A network of one layer that notes what came out of it."""

    def build(self) -> nn.Module:
        return nn.Sequential(*super().build(), Noting())


@pytest.mark.parametrize(
    ("precision", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)]
)
@pytest.mark.parametrize(
    ("loss", "part"), [(AamSoftmax(), None), (AamSoftmax(), 4), (GhmClassification(), 4)]
)
def test_training_computes_in_the_recipes_precision(
    tmp_path: Path, loss: LossAdapter, part: int | None, precision: Any, dtype: torch.dtype
) -> None:
    how = small.recipe(small.PK, part)
    torch.manual_seed(1)
    system = System(Trunk(), loss, small.LABELS)
    plan = TrainingPlan(
        recipe=how, batches=small.batches(how), validate=lambda _: {"eer": 0.5}, primary="eer",
        higher_is_better=False, scheduled=(), folder=tmp_path, seed=3, report=lambda *_: None,
    )  # fmt: skip
    train(system, plan, Fabric(accelerator="cpu", devices=1, precision=precision))
    assert system.trunk[-1].seen == {dtype}
    assert all(weight.dtype == torch.float32 for weight in system.parameters())
