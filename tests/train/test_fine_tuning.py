"""Fine-tuning: what it begins with, what changes, and that the seam can be cut anywhere."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from harness.config.recipe_tables import Augment, LearningRate, Noise, Rise
from harness.config.recipes import FineTune, Recipe
from harness.errors import JobFailed
from harness.feeding.disturbance import Disturber
from harness.feeding.step_inputs import step_seed
from harness.series.reading import read_series
from harness.train import loop
from harness.train.checkpoint import load_weights, save_weights
from harness.train.optimization import make_optimizer
from harness.train.training_plan import AtOriginalSpeed, TrainingPlan, Validation
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

FINE_TUNE = FineTune(
    steps=4, lr=0.02, batch=3, crop_seconds=0.04, validations=2, checkpoints=4,
    learning_rate=LearningRate(shape="exponential", warmup=0.25, final=0.25),
    schedules={"margin": Rise.model_validate(0.5)},
)  # fmt: skip
TUNED = RECIPE.model_copy(update={"fine_tune": FINE_TUNE, "select": "last"})
AUGMENT = Augment(speeds=(0.9, 1.0, 1.1))


def tuned(first: str, second: str, **more: Any) -> Recipe:
    """Weights chosen so in the training and so in its fine-tuning."""
    ways = {"average": {"select": "average", "average_last": 2}}
    one, other = (ways.get(way, {"select": way}) for way in (first, second))
    tune = FINE_TUNE.model_copy(update={**other, **more})
    return RECIPE.model_copy(update={"fine_tune": tune, **one})


def a_plan(recipe: Recipe, **changes: Any) -> TrainingPlan:
    nothing: Callable[..., Any] = lambda *_: {}  # noqa: E731
    plan = TrainingPlan(
        recipe=recipe, batches=small_batches(recipe), validate=nothing, primary="eer",
        higher_is_better=False, scheduled=("margin",), folder=Path(), seed=3, report=nothing,
    )  # fmt: skip
    return dataclasses.replace(plan, **changes)


@pytest.mark.parametrize("first", ["best", "last", "average"])
def test_it_goes_on_from_the_weights_that_were_kept(tmp_path: Path, first: str) -> None:
    """As a plain loop does, with its own batches, an optimiser of its own and a fixed margin."""
    recipe = tuned(first, "last")
    trained(tmp_path / "alone", recipe.model_copy(update={"fine_tune": None}))
    trained(tmp_path / "tuned", recipe)
    system = small_system(recipe)
    system.load_state_dict(load_weights(tmp_path / "alone" / FINAL))
    second = a_plan(recipe).phases[1]
    optimizer = make_optimizer(second.recipe.optimizer, system.parameters())
    for step, share in enumerate([1.0, 0.25 ** (1 / 3), 0.25 ** (2 / 3), 0.25]):
        system.train()
        torch.manual_seed(step_seed(second.seed, step))
        system.head.margin = 0.5
        optimizer.param_groups[0]["lr"] = 0.02 * share
        optimizer.zero_grad(set_to_none=True)
        system(*second.batches.at(step))[0].backward()
        optimizer.step()
    found = load_weights(tmp_path / "tuned" / FINAL)
    for name, value in system.state_dict().items():
        torch.testing.assert_close(found[name], value)


def test_the_training_before_it_is_what_it_was(tmp_path: Path) -> None:
    """The same draws, the same log, the same weights; a longer log is all that it adds."""
    alone, _ = trained(tmp_path / "alone", RECIPE)
    both, _ = trained(tmp_path / "both", RECIPE.model_copy(update={"fine_tune": FINE_TUNE}))
    assert logged(tmp_path / "both")[:6] == logged(tmp_path / "alone")
    assert both.before_fine_tuning is not None
    assert alone.before_fine_tuning is None
    before = dataclasses.asdict(both.before_fine_tuning)
    assert before == {name: getattr(alone, name) for name in before}


def test_steps_are_counted_on(tmp_path: Path) -> None:
    result, _ = trained(tmp_path, TUNED)
    assert result.steps == 10
    assert result.before_fine_tuning is not None
    assert result.before_fine_tuning.steps == 6
    lines = logged(tmp_path)
    assert [line["step"] for line in lines] == list(range(1, 11))
    assert [line["step"] for line in lines if line["validation"]] == [2, 4, 6, 8, 10]
    rates = [line["train"]["lr"] for line in lines]
    wanted = [0.02 * 0.25 ** (step / 3) for step in range(4)]
    assert rates == pytest.approx([0.1] * 6 + wanted)
    assert [line["train"]["margin"] for line in lines[6:]] == [0.5] * 4
    events = EventAccumulator(str(tmp_path / "curves"))
    events.Reload()
    assert [point.step for point in events.Scalars("Train/Loss")] == list(range(1, 11))
    assert [point.step for point in events.Scalars("Test/eer")] == [2, 4, 6, 8, 10]


def test_a_failure_names_the_step_that_is_counted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, count = loop.learn, 0

    def diverging(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        learned = learn(*arguments)
        return dataclasses.replace(learned, loss=math.nan) if count == 8 else learned

    monkeypatch.setattr(loop, "learn", diverging)
    with pytest.raises(JobFailed, match="loss became nan at step 8"):
        trained(tmp_path, TUNED)


def test_it_computes_as_the_training_did(tmp_path: Path) -> None:
    """In the precision of the recipe, whole and cut off."""
    recipe = TUNED.model_copy(update={"precision": "bf16-mixed"})
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    weights = []
    for name, stop_at in (("whole", None), ("cut", 8)):
        if stop_at:
            with pytest.raises(StopError):
                trained(tmp_path / name, recipe, stop_at=stop_at, fabric=fabric)
        trained(tmp_path / name, recipe, fabric=fabric)
        weights.append((tmp_path / name / FINAL).read_bytes())
    trained(tmp_path / "plain", TUNED)
    assert weights[0] == weights[1] != (tmp_path / "plain" / FINAL).read_bytes()


def test_its_weights_are_chosen_among_its_own(tmp_path: Path) -> None:
    """Step 4 is the best of all, step 8 the best of the fine-tuning."""
    result, seen = trained(tmp_path, tuned("best", "best"))
    assert (result.selected_step, result.validation["eer"]) == (8, 0.15)
    assert result.before_fine_tuning is not None
    assert result.before_fine_tuning.selected_step == 4
    check_equal(load_weights(tmp_path / FINAL), seen[8])


def test_the_average_of_its_last_weights(tmp_path: Path) -> None:
    result, seen = trained(tmp_path, tuned("average", "average", checkpoints=2))
    found = load_weights(tmp_path / FINAL)
    for name, value in seen[8].items():
        torch.testing.assert_close(found[name], (value + seen[10][name]) / 2)
    assert result.selected_step == 10


def test_right_decisions_are_its_own(tmp_path: Path) -> None:
    """Two steps are less than an epoch; those before them do not fill it up."""
    tune = FineTune(steps=2, lr=0.02, checkpoints=2)
    recipe = TUNED.model_copy(update={"fine_tune": tune})
    result, _ = trained(tmp_path, recipe, validate=lambda _: Validation({"eer": 0.1}))
    decisions = [line["train"]["Accuracy"] for line in logged(tmp_path)]
    assert result.accuracy == pytest.approx(sum(decisions[6:]) / 2)
    assert result.before_fine_tuning is not None
    assert result.before_fine_tuning.accuracy == pytest.approx(sum(decisions[3:6]) / 3)


def test_a_value_that_is_not_scheduled_again_is_full_again(tmp_path: Path) -> None:
    """The margin stood at five sixths of its full value when the training ended."""
    plain = FINE_TUNE.model_copy(update={"schedules": {}})
    trained(tmp_path, TUNED.model_copy(update={"fine_tune": plain}))
    assert [line["train"]["margin"] for line in logged(tmp_path)[5:]] == pytest.approx(
        [0.2 * 5 / 6, *[0.2] * 4]
    )


def test_a_value_that_jumps_as_it_begins_is_marked(tmp_path: Path) -> None:
    trained(tmp_path, TUNED)
    marks = [(each.step, each.text) for each in read_series(tmp_path)[0].marks]
    assert marks[-2] == (7, f"margin {0.2 * 5 / 6:g} -> 0.5")


@pytest.mark.parametrize("ways", [("best", "best"), ("last", "last"), ("average", "average")])
def test_cut_off_after_any_step_it_gives_the_same_bytes(
    tmp_path: Path, ways: tuple[str, str]
) -> None:
    recipe = tuned(*ways)
    whole, _ = trained(tmp_path / "whole", recipe)
    for stop_at in range(1, 11):
        folder = tmp_path / f"cut-{stop_at}"
        with pytest.raises(StopError):
            trained(folder, recipe, stop_at=stop_at)
        _check_same(tmp_path / "whole", folder, whole, trained(folder, recipe)[0])


@pytest.mark.parametrize("ways", [("best", "best"), ("average", "last")])
@pytest.mark.parametrize("written", [False, True])
def test_cut_off_at_any_file_it_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ways: tuple[str, str], written: bool
) -> None:
    """Before or after any file of weights and any resume point, the seam's among them.

    The fine-tuning is judged before it has a resume point of its own.
    """
    recipe = tuned(*ways, checkpoints=2)
    whole, _ = trained(tmp_path / "whole", recipe)
    cuts = 0
    while _is_cut(tmp_path / f"cut-{cuts}", recipe, monkeypatch, at=cuts, written=written):
        folder = tmp_path / f"cut-{cuts}"
        _check_same(tmp_path / "whole", folder, whole, trained(folder, recipe)[0])
        cuts += 1
    assert cuts > 9, "eight resume points, one at the seam, and weights"


def test_speeds_end_and_voices_keep_their_classes() -> None:
    """At its own speed a voice is the second of the three that the classifier knows."""
    recipe = TUNED.model_copy(update={"augment": AUGMENT})
    first, second = a_plan(recipe).phases
    assert (first.batches.speeds, second.batches.speeds) == ((0.9, 1.0, 1.1), ())
    assert second.inputs(small_system(recipe).declared).augment.speeds == ()
    for step in range(4):
        content, labels = second.batches.at(step)
        assert content.shape == (3, 640)
        plain = dataclasses.replace(small_batches(RECIPE), batch=3, seed=second.seed)
        wanted = dataclasses.replace(plain, crop_seconds=0.04).at(step)
        assert torch.equal(content, wanted[0])
        assert torch.equal(labels, wanted[1] + 3)


def test_speeds_go_on_where_they_are_asked_for() -> None:
    tune = FINE_TUNE.model_copy(update={"augment": AUGMENT})
    second = a_plan(TUNED.model_copy(update={"augment": AUGMENT, "fine_tune": tune})).phases[1]
    assert second.batches.speeds == AUGMENT.speeds
    assert not isinstance(second.batches, AtOriginalSpeed)


def test_a_training_with_speeds_is_fine_tuned(tmp_path: Path) -> None:
    hashes = set()
    for workers in (0, 1):
        folder = tmp_path / str(workers)
        trained(folder, TUNED.model_copy(update={"augment": AUGMENT}), data_workers=workers)
        hashes.add((folder / FINAL).read_bytes())
    assert len(hashes) == 1, "a worker makes the fine-tuning's batches too"


def test_it_draws_anew() -> None:
    """Not the order, the crops and the noises with which the training began."""
    recipe = RECIPE.model_copy(
        update={"fine_tune": FineTune(share=1.0, lr=0.1), "augment": Augment(noise=Noise())}
    )
    first, second = a_plan(recipe, disturber=Disturber(recipe.augment, None, None, 3)).phases
    assert second.steps == first.steps
    assert any(
        not torch.equal(first.batches.at(step)[0], second.batches.at(step)[0]) for step in range(6)
    )
    assert second.disturber is not None
    assert second.disturber.seed == second.batches.seed == second.seed != first.seed


def test_noise_may_end() -> None:
    quiet = FINE_TUNE.model_copy(update={"augment": Augment()})
    recipe = TUNED.model_copy(update={"fine_tune": quiet, "augment": Augment(noise=Noise())})
    plan = a_plan(recipe, disturber=Disturber(recipe.augment, None, None, 3))
    assert plan.phases[1].disturber is None


def _is_cut(
    folder: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, *, at: int, written: bool
) -> bool:
    """Train until a file is about to be written, or just was; False where there is none such."""
    count = 0

    def cutting(write: Callable[..., None]) -> Callable[..., None]:
        def then_stop(*arguments: Any) -> None:
            nonlocal count
            count += 1
            if count <= at or written:
                write(*arguments)
            if count > at:
                raise StopError

        return then_stop

    with monkeypatch.context() as patched:
        patched.setattr(loop, "save_weights", cutting(save_weights))
        patched.setattr(loop, "save_resume", cutting(loop.save_resume))
        try:
            trained(folder, recipe)
        except StopError:
            return True
    return False


def _check_same(whole: Path, cut: Path, wanted: Any, found: Any) -> None:
    assert (cut / FINAL).read_bytes() == (whole / FINAL).read_bytes()
    assert logged(cut) == logged(whole)
    spent = {"seconds": 0, "data_wait": None, "cpu_wait": None}
    assert dataclasses.replace(found, **spent) == dataclasses.replace(wanted, **spent)
