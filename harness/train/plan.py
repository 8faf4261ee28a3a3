"""What the loop is given: data, recipe and hooks, nothing of the task."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from harness.adapter import Input
from harness.config.recipe_tables import Augment
from harness.config.recipes import Recipe
from harness.feeding.batches import TrainingBatches
from harness.feeding.disturbance import Disturber
from harness.feeding.step_inputs import InputMaker
from harness.train.original_speed import AtOriginalSpeed
from harness.train.system import System


@dataclass(frozen=True)
class TrainingPlan:
    """One training.

    Attributes:
        recipe: how.
        batches: on what.
        disturber: rooms and noises; None where the recipe has none.
        validate: numbers of the validation split for a system, `primary` among them.
        primary: the number that selects weights.
        higher_is_better: its direction.
        scheduled: attributes of the head that the recipe's schedules may drive.
        folder: where checkpoints, the log and the curves lie.
        seed: of everything random.
        report: told step, number of steps and loss after every step.
        data_workers: processes that make inputs; 0 for a thread.
        before: steps of the training that this one fine-tunes.
    """

    recipe: Recipe
    batches: TrainingBatches
    validate: Callable[[System], dict[str, float]]
    primary: str
    higher_is_better: bool
    scheduled: tuple[str, ...]
    folder: Path
    seed: int
    report: Callable[[int, int, float], None]
    disturber: Disturber | None = None
    data_workers: int = 0
    before: int = 0

    @property
    def phases(self) -> tuple[TrainingPlan, ...]:
        """What is trained, one after the other: this, and the recipe's fine-tuning."""
        return (self, *(self._fine_tuning(recipe) for recipe in self.recipe.phases[1:]))

    @property
    def last(self) -> int:
        """The step after which this training ends; steps are counted from the first of all."""
        return self.before + self.steps

    @property
    def steps(self) -> int:
        """Length of the run in steps."""
        if self.recipe.steps is not None:
            return self.recipe.steps
        return max(1, round((self.recipe.epochs or 1) * self.batches.steps_per_epoch))

    def inputs(self, declared: Input) -> InputMaker:
        """What makes the inputs of a network that declares this."""
        augment = self.recipe.augment
        return InputMaker(self.batches, self.disturber, declared, augment, self.seed)

    @property
    def validation_steps(self) -> frozenset[int]:
        """Steps after which the validation split is judged; the last one is among them."""
        return self._evenly(self.recipe.validations)

    @property
    def checkpoint_steps(self) -> frozenset[int]:
        """Steps after which a resume point is written."""
        return self._evenly(self.recipe.checkpoints) | self.validation_steps

    def better(self, value: float, than: float | None) -> bool:
        """True where a number of `primary` beats another; anything beats None."""
        if than is None:
            return True
        return value > than if self.higher_is_better else value < than

    def _evenly(self, count: int) -> frozenset[int]:
        count = min(count, self.steps)
        steps = (math.ceil(self.steps * (part + 1) / count) for part in range(count))
        return frozenset(self.before + step for step in steps)

    def _fine_tuning(self, recipe: Recipe) -> TrainingPlan:
        """The same data and rooms, drawn anew."""
        seed = _another_seed(self.seed)
        batches = _batches_for(recipe, self.batches, seed)
        disturber = _disturber_for(recipe.augment, self.disturber, seed)
        return replace(
            self,
            recipe=recipe,
            batches=batches,
            disturber=disturber,
            seed=seed,
            before=self.last,
        )


def _batches_for(recipe: Recipe, first: TrainingBatches, seed: int) -> TrainingBatches:
    values: dict[str, Any] = {each.name: getattr(first, each.name) for each in fields(first)}
    values |= {"batch": recipe.batch, "crop_seconds": recipe.crop_seconds, "seed": seed}
    values |= {"speeds": recipe.augment.speeds, "sampler": recipe.sampler}
    if first.speeds and not recipe.augment.speeds:
        return AtOriginalSpeed(**values, place=first.speeds.index(1.0))
    return TrainingBatches(**values)


def _disturber_for(augment: Augment, first: Disturber | None, seed: int) -> Disturber | None:
    if first is None or not (augment.reverb or augment.noise):
        return None
    rooms, noises = first.rooms, first.noises
    return Disturber(
        augment, rooms if augment.reverb else None, noises if augment.noise else None, seed
    )


def _another_seed(seed: int) -> int:
    """Of the fine-tuning, so that it does not begin with the draws that its training began with."""
    return int.from_bytes(hashlib.sha256(f"{seed}:fine-tuning".encode()).digest()[:7], "big")
