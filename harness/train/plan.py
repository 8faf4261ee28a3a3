"""What the loop is given: data, recipe and hooks, nothing of the task."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.adapter import Input
from harness.config.schema import Recipe
from harness.data.batches import TrainingBatches
from harness.data.feeding.inputs import InputMaker
from harness.data.waveform.disturbance import Disturber
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
        return frozenset(math.ceil(self.steps * (part + 1) / count) for part in range(count))
