"""A recipe's precision is what its network computes in; half precision skips and tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import nn

from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax
from harness.adapter import LossAdapter
from harness.config.recipe_tables import Optimizer
from harness.config.recipes import Recipe
from harness.errors import JobFailed
from harness.train.checkpoint import load_weights
from harness.train.loop import train
from harness.train.system import System
from harness.train.training_plan import TrainingPlan, Validation
from harness.train.training_progress import FINAL, TrainingResult
from tests.train import small_training
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
        recipe=how, batches=small.batches(how), validate=lambda _: Validation({"eer": 0.5}),
        primary="eer", higher_is_better=False, scheduled=(),
        folder=tmp_path, seed=3, report=lambda *_: None,
    )  # fmt: skip
    train(system, plan, Fabric(accelerator="cpu", devices=1, precision=precision))
    assert system.trunk[-1].seen == {dtype}
    assert all(weight.dtype == torch.float32 for weight in system.parameters())


CLIPPED = small_training.RECIPE.model_copy(update={"precision": "16-mixed", "clip_norm": 1.0})
STEPS = CLIPPED.steps or 0


def scaled(scale: float) -> Fabric:
    """Half precision with a scaler, as on a GPU; Fabric's own choice for a processor has none."""
    scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=2)
    return Fabric(accelerator="cpu", devices=1, plugins=[MixedPrecision("16-mixed", "cpu", scaler)])


def trained(
    folder: Path, scale: float, recipe: Recipe = CLIPPED, stop_at: int | None = None
) -> TrainingResult:
    return small_training.trained(folder, recipe, stop_at, scaled(scale))[0]


@pytest.mark.parametrize("clip_norm", [1.0, None])
def test_steps_whose_gradients_overflow_are_left_out_and_told(
    tmp_path: Path, clip_norm: float | None
) -> None:
    recipe = CLIPPED.model_copy(update={"clip_norm": clip_norm})
    result = trained(tmp_path, 2.0**40, recipe)
    lines = [line["train"] for line in small_training.logged(tmp_path)]
    assert lines[0]["steps_left_out"] == 1
    assert lines[0]["loss_scale"] == 2.0**39
    (note,) = result.notes
    assert note.startswith(f"{lines[-1]['steps_left_out']:.0f} of its {STEPS} steps changed no")


def test_steps_that_are_all_done_need_no_note(tmp_path: Path) -> None:
    result = trained(tmp_path, 2.0**8)
    lines = [line["train"] for line in small_training.logged(tmp_path)]
    assert result.notes == ()
    # Two good steps double the factor: the scaler's own update ran.
    assert [line["loss_scale"] for line in lines[:4]] == [2.0**8, 2.0**9, 2.0**9, 2.0**10]
    assert {line["steps_left_out"] for line in lines} == {0}


def test_clipping_sees_gradients_without_the_scalers_factor(tmp_path: Path) -> None:
    """With and without a factor on the loss, the clipped steps are the same but for rounding."""
    # Adam would take steps of one size for gradients of any.
    plain = CLIPPED.model_copy(update={"optimizer": Optimizer(name="sgd", lr=0.1)})
    ends = []
    for scale in (1.0, 2.0**10):
        folder = tmp_path / str(scale)
        trained(folder, scale, plain)
        ends.append(load_weights(folder / FINAL))
    start = small_training.small_system(CLIPPED).state_dict()
    for name, value in ends[0].items():
        torch.testing.assert_close(value, ends[1][name], rtol=0.02, atol=2e-3)
    assert any(not torch.allclose(start[name], ends[0][name], atol=0.02) for name in ends[0])


@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_resume_goes_on_with_the_scaler(tmp_path: Path, stop_at: int) -> None:
    whole = trained(tmp_path / "whole", 2.0**40)
    with pytest.raises(small_training.StopError):
        trained(tmp_path / "cut", 2.0**40, stop_at=stop_at)
    # What the scaler begins with is the resume point's, not the recipe's.
    resumed = trained(tmp_path / "cut", 1.0 if stop_at > 1 else 2.0**40)
    logs = [small_training.logged(tmp_path / name) for name in ("whole", "cut")]
    assert logs[0] == logs[1]
    assert resumed.notes == whole.notes != ()
    assert (tmp_path / "cut" / FINAL).read_bytes() == (tmp_path / "whole" / FINAL).read_bytes()


@pytest.mark.parametrize(
    ("card", "hint"), [("NVIDIA GeForce GTX 1660", '"32-true"'), ("NVIDIA GeForce RTX 2060", "")]
)
def test_a_loss_that_is_no_number_names_a_card_that_is_known_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: str, hint: str
) -> None:
    monkeypatch.setattr("harness.train.loop.device_name", lambda _: card)
    system = small_training.small_system(CLIPPED)
    with torch.no_grad():
        system.trunk[1].weight.fill_(torch.nan)
    with pytest.raises(JobFailed, match="loss became nan at step 1") as raised:
        small_training.trained(tmp_path, CLIPPED, fabric=scaled(1.0), system=system)
    assert hint in str(raised.value)
    assert (card in str(raised.value)) == bool(hint)


def test_gradients_that_never_are_finite_end_the_training(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match=r"no gradient was finite in half precision.* at step 2"):
        endless(tmp_path, CLIPPED, scaled(2.0**-13))


def test_without_a_scaler_an_endless_gradient_is_a_row_that_says_so(tmp_path: Path) -> None:
    whole = CLIPPED.model_copy(update={"precision": "32-true"})
    with pytest.raises(JobFailed, match=r"the gradient's norm became (inf|nan) at step 1"):
        endless(tmp_path, whole, Fabric(accelerator="cpu", devices=1))


def endless(folder: Path, recipe: Recipe, fabric: Fabric) -> None:
    """Train a network whose gradients overflow, while its loss is finite."""
    system = small_training.small_system(recipe)
    system.trunk[1].weight.register_hook(lambda gradient: gradient * torch.inf)
    small_training.trained(folder, recipe, fabric=fabric, system=system)
