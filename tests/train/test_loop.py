"""The training loop: selection of weights, resuming, and what it is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.config.recipe_tables import Augment
from harness.config.recipes import Recipe
from harness.feeding.feeder import Feeder
from harness.feeding.step_inputs import Inputs, step_seed
from harness.records.documents import sha256_file
from harness.train.checkpoint import load_weights
from harness.train.optimization import make_optimizer
from harness.train.system import System, outputs_of
from harness.train.training_plan import TrainingPlan, Validation
from harness.train.training_progress import FINAL
from tests.train.small_training import (
    RECIPE,
    StopError,
    check_equal,
    logged,
    small_batches,
    small_system,
    trained,
)


def chosen_by(select: str, **more: Any) -> Recipe:
    return RECIPE.model_copy(update={"select": select, **more})


def test_the_best_weights_are_those_of_the_best_validation(tmp_path: Path) -> None:
    result, seen = trained(tmp_path)
    assert (result.selected_step, result.validation) == (4, {"eer": 0.1, "threshold": 0.5})
    check_equal(load_weights(tmp_path / FINAL), seen[4])


def test_best_means_highest_where_higher_is_better(tmp_path: Path) -> None:
    result, seen = trained(tmp_path, higher_is_better=True)
    assert result.selected_step == 2
    check_equal(load_weights(tmp_path / FINAL), seen[2])


def test_the_last_weights(tmp_path: Path) -> None:
    result, seen = trained(tmp_path, chosen_by("last"))
    assert (result.selected_step, result.validation["eer"]) == (6, 0.2)
    check_equal(load_weights(tmp_path / FINAL), seen[6])


def test_the_average_of_the_last_weights(tmp_path: Path) -> None:
    recipe = chosen_by("average", average_last=2, checkpoints=3)
    result, seen = trained(tmp_path, recipe)
    wanted = {name: (seen[4][name] + seen[6][name]) / 2 for name in seen[6]}
    found = load_weights(tmp_path / FINAL)
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value)
    assert result.selected_step == 6


@pytest.mark.parametrize("stop_at", [1, 3, 6])
@pytest.mark.parametrize(
    "recipe", [chosen_by("best"), chosen_by("last"), chosen_by("average", average_last=3)]
)
def test_a_training_that_is_cut_off_gives_the_same_bytes(
    tmp_path: Path, stop_at: int, recipe: Recipe
) -> None:
    whole, _ = trained(tmp_path / "whole", recipe)
    with pytest.raises(StopError):
        trained(tmp_path / "cut", recipe, stop_at=stop_at)
    resumed, _ = trained(tmp_path / "cut", recipe)
    assert (tmp_path / "cut" / FINAL).read_bytes() == (tmp_path / "whole" / FINAL).read_bytes()
    spent = {"seconds": 0, "data_wait": None, "cpu_wait": None}
    assert dataclasses.replace(resumed, **spent) == dataclasses.replace(whole, **spent)
    logs = [logged(tmp_path / name) for name in ("whole", "cut")]
    assert logs[0] == logs[1]


# Each worker imports torch. The tests of fine-tuning hold the same of one worker.
@pytest.mark.long
@pytest.mark.parametrize("augment", [Augment(), Augment(speeds=(0.9, 1.1), time_mask=2)])
def test_workers_change_no_weight(tmp_path: Path, augment: Augment) -> None:
    recipe = RECIPE.model_copy(update={"augment": augment})
    hashes = set()
    for workers in (0, 2):
        folder = tmp_path / str(workers)
        trained(folder, recipe, data_workers=workers)
        hashes.add(sha256_file(folder / FINAL))
    assert len(hashes) == 1


def test_inputs_made_ahead_are_those_of_a_plain_loop(tmp_path: Path) -> None:
    """The weights are those of a loop that makes each step's inputs itself, in the old order."""
    trained(tmp_path, chosen_by("last"))
    system, batches = small_system(RECIPE), small_batches(RECIPE)
    # Whether several kernels round like the one depends on the processor.
    optimizer = make_optimizer(RECIPE.optimizer, system.parameters(), fused=True)
    for step in range(6):
        system.train()
        torch.manual_seed(step_seed(3, step))
        system.head.margin = 0.2 * (step / 6)
        optimizer.zero_grad(set_to_none=True)
        system(*batches.at(step))[0].backward()
        optimizer.step()
    check_equal(load_weights(tmp_path / FINAL), system.state_dict())


def test_waiting_for_data_is_a_share_of_the_steps(tmp_path: Path) -> None:
    result, _ = trained(tmp_path / "long")
    assert result.data_wait is not None
    assert 0 <= result.data_wait < 1
    short = RECIPE.model_copy(update={"steps": 2, "validations": 1})
    assert trained(tmp_path / "short", short)[0].data_wait is None


def test_waiting_is_counted_over_resumes(tmp_path: Path) -> None:
    with pytest.raises(StopError):
        trained(tmp_path, stop_at=5)
    assert trained(tmp_path)[0].data_wait is not None, "what was counted before it was cut off"


def test_speeds_multiply_the_classes_of_the_head(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"augment": Augment(speeds=(0.9, 1.0, 1.1))})
    assert small_system(recipe).head.weight.shape[0] == 9
    assert small_system(RECIPE).head.weight.shape[0] == 3


def test_the_log_drives_margin_and_rate(tmp_path: Path) -> None:
    trained(tmp_path)
    lines = logged(tmp_path)
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    margins = [line["train"]["margin"] for line in lines]
    assert margins == pytest.approx([0.2 * step / 6 for step in range(6)])
    assert {line["train"]["lr"] for line in lines} == {0.1}
    assert [line["step"] for line in lines if line["validation"]] == [2, 4, 6]


def test_the_loop_is_shown_no_test_data() -> None:
    """All it gets is in the plan: training batches, noises, and numbers of the validation split."""
    fields = {field.name: field.type for field in dataclasses.fields(TrainingPlan)}
    assert fields == {
        "recipe": "Recipe",
        "batches": "TrainingBatches",
        "validate": "Callable[[System], Validation]",
        "primary": "str",
        "higher_is_better": "bool",
        "scheduled": "tuple[str, ...]",
        "folder": "Path",
        "seed": "int",
        "report": "Callable[[int, int, float], None]",
        "disturber": "Disturber | None",
        "data_workers": "int",
        "before": "int",
        "before_epochs": "float",
        "drawn": "int",
        "parent": "Path | None",
        "title": "str",
        "key": "str",
        "keep_states": "int",
        "kept": "Callable[[int, str], None]",
        "look": "Callable[[System], Mapping[str, GradientEvidence]]",
        "teacher": "Callable[[Tensor], Tensor] | None",
    }


@pytest.mark.parametrize(
    ("recipe", "steps", "validations", "checkpoints"),
    [
        (RECIPE, 6, {2, 4, 6}, {1, 2, 3, 4, 5, 6}),
        (RECIPE.model_copy(update={"steps": None, "epochs": 2.0}), 6, {2, 4, 6}, set(range(1, 7))),
        (RECIPE.model_copy(update={"steps": 7, "checkpoints": 2}), 7, {3, 5, 7}, {3, 4, 5, 7}),
        (RECIPE.model_copy(update={"steps": 1}), 1, {1}, {1}),
    ],
)
def test_where_a_plan_stops_to_look(
    tmp_path: Path, recipe: Recipe, steps: int, validations: set[int], checkpoints: set[int]
) -> None:
    nothing: Callable[..., Any] = lambda *_: {}  # noqa: E731
    plan = TrainingPlan(
        recipe=recipe, batches=small_batches(recipe), validate=nothing, primary="eer",
        higher_is_better=False, scheduled=(), folder=tmp_path, seed=0, report=nothing,
    )  # fmt: skip
    assert plan.steps == steps
    assert plan.validation_steps == validations
    assert plan.checkpoint_steps == checkpoints


def test_features_that_a_gpu_makes_find_no_old_gradients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, take, seen = small_system(RECIPE), Feeder.take, []

    def watched(feeder: Feeder) -> Inputs:
        seen.append([each.grad is None for each in system.parameters()])
        return take(feeder)

    monkeypatch.setattr(Feeder, "take", watched)
    trained(tmp_path, system=system)
    assert len(seen) == 6
    assert all(all(gone) for gone in seen)


def test_training_has_the_recipes_arithmetic_and_judging_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, list[dict[str, Any]]] = {"loop": [], "system": []}

    def recorder(name: str) -> Callable[..., AbstractContextManager[None]]:
        def set_arithmetic(_: torch.device, **options: Any) -> AbstractContextManager[None]:
            asked[name].append(options)
            return nullcontext()

        return set_arithmetic

    for name in asked:
        monkeypatch.setattr(f"harness.train.{name}.arithmetic", recorder(name))
    recipe = RECIPE.model_copy(update={"tf32": True, "deterministic": False})
    subset, system = small_batches(recipe).subset, small_system(recipe)

    def validate(judged: System) -> Validation:
        found = outputs_of(judged, subset, "embedding", torch.device("cpu"))
        return Validation({"eer": float(found.mean())})

    trained(tmp_path, recipe, system=system, validate=validate)
    assert [(each["tf32"], each["deterministic"]) for each in asked["loop"]] == [(True, False)]
    assert asked["system"] == [{}] * 3


def test_operations_that_do_not_repeat_are_in_the_note_after_a_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meets(name: str) -> None:
        @contextmanager
        def arithmetic(*_: object, in_no_order: set[str], **__: object) -> Iterator[None]:
            in_no_order.add(name)
            yield

        monkeypatch.setattr("harness.train.loop.arithmetic", arithmetic)

    meets("max_pool_backward")
    with pytest.raises(StopError):
        trained(tmp_path, stop_at=3)
    meets("histc")
    result, _ = trained(tmp_path)
    assert result.notes == ("not repeatable to the bit on a GPU: histc, max_pool_backward",)
