"""Plan of a training: its data, recipe and hooks, nothing of the task."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from harness.adapter import Input
from harness.config.recipe_tables import Augment
from harness.config.recipes import Recipe
from harness.feeding.batches import TrainingBatches
from harness.feeding.disturbance import Disturber
from harness.feeding.step_inputs import InputMaker
from harness.train.gradient_evidence import GradientEvidence
from harness.train.system import System


@dataclass(frozen=True)
class Validation:
    """Numbers of one validation.

    Attributes:
        judged: by the task, `primary` among them: they select weights.
        measured: others, by their whole names; for the series alone.
    """

    judged: dict[str, float]
    measured: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingPlan:
    """One training.

    Attributes:
        recipe: its recipe.
        batches: its data.
        disturber: rooms and noises; None if the recipe has none.
        validate: evaluates a system on the validation split.
        primary: the number that selects weights.
        higher_is_better: its direction.
        scheduled: attributes of the head that the recipe's schedules may drive.
        folder: folder of checkpoints, the series and the curves.
        seed: seed of everything random.
        report: called with step, number of steps and loss after every step.
        data_workers: processes that make inputs; 0 for a thread.
        before: steps of the training that this one fine-tunes, or goes on from.
        before_epochs: its epochs.
        drawn: steps whose batches were drawn by the same seed before this training.
        parent: folder of the finished training that this one goes on from; None if it begins.
        title: entry and seed, in a folder's name.
        key: of its stage: a resume point of another training is none of this one.
        keep_states: how many states are kept for an audit, of a training that begins.
        kept: called with step and hash of each of them.
        look: returns what is to be seen of a system in evaluation mode, by groups of the series; it
            is called at the epochs that the recipe's `vector_epochs` name.
        teacher: returns the logits of a finished network for inputs; None if nobody teaches.
    """

    recipe: Recipe
    batches: TrainingBatches
    validate: Callable[[System], Validation]
    primary: str
    higher_is_better: bool
    scheduled: tuple[str, ...]
    folder: Path
    seed: int
    report: Callable[[int, int, float], None]
    disturber: Disturber | None = None
    data_workers: int = 0
    before: int = 0
    before_epochs: float = 0.0
    drawn: int = 0
    parent: Path | None = None
    title: str = ""
    key: str = ""
    keep_states: int = 0
    kept: Callable[[int, str], None] = lambda _step, _digest: None
    look: Callable[[System], Mapping[str, GradientEvidence]] = lambda _system: {}
    teacher: Callable[[Tensor], Tensor] | None = None

    @property
    def phases(self) -> tuple[TrainingPlan, ...]:
        """The trainings in their order: this one, and the recipe's fine-tuning."""
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

    def epochs_after(self, step: int) -> float:
        """Return the epochs that are done after a step, those of the training before among them."""
        return self.before_epochs + (step - self.before) / self.batches.steps_per_epoch

    def draw(self, step: int) -> int:
        """Return the place of a step among all whose batches the seed draws."""
        return step - self.before + self.drawn

    def ends_epoch(self, step: int, epochs: Collection[int]) -> bool:
        """Return whether an epoch ends with a step that is one of some.

        Epochs are counted since the seed's first draw. A training that ends within an epoch ends
        that one.
        """
        done, within = divmod(self.draw(step), self.batches.steps_per_epoch)
        if within and step == self.last:
            done, within = done + 1, 0
        return within == 0 and done in epochs

    def is_watched(self, step: int) -> bool:
        """Return whether a step belongs to an epoch that the recipe's `vector_epochs` name."""
        epoch = -(-self.draw(step) // self.batches.steps_per_epoch)
        return epoch in self.recipe.vector_epochs

    def keeps(self, step: int) -> bool:
        """Return whether the weights after a step stay, by the recipe's `keep_every_epochs`."""
        every = self.recipe.keep_every_epochs
        return every is not None and self.ends_epoch(step, range(every, step + 1, every))

    def has_lost_patience(self, step: int, selected: int) -> bool:
        """Return whether the training ends early after a step.

        Args:
            step: the last one that is done.
            selected: the step of the best validation so far.
        """
        if self.recipe.patience is None or step not in self.validation_steps:
            return False
        since = sum(selected < each <= step for each in self.validation_steps)
        return since >= self.recipe.patience and step < self.last

    def inputs(self, declared: Input) -> InputMaker:
        """Return the maker of the inputs that a network declares."""
        augment = self.recipe.augment
        return InputMaker(self.batches, self.disturber, declared, augment, self.seed)

    @cached_property
    def validation_steps(self) -> frozenset[int]:
        """Steps after which the validation split is evaluated; the last one is among them."""
        return self._evenly(self.recipe.validations)

    @cached_property
    def checkpoint_steps(self) -> frozenset[int]:
        """Steps after which a resume point is written."""
        return self._evenly(self.recipe.checkpoints) | self.validation_steps

    def better(self, value: float, than: float | None) -> bool:
        """Return True if a number of `primary` beats another; anything beats None."""
        if than is None:
            return True
        return value > than if self.higher_is_better else value < than

    def _evenly(self, count: int) -> frozenset[int]:
        count = min(count, self.steps)
        steps = (math.ceil(self.steps * (part + 1) / count) for part in range(count))
        return frozenset(self.before + step for step in steps)

    def _fine_tuning(self, recipe: Recipe) -> TrainingPlan:
        """Return the plan of a fine-tuning: the same data and rooms, drawn anew."""
        seed = fine_tuning_seed(self.seed)
        batches = _batches_for(recipe, self.batches, seed)
        disturber = _disturber_for(recipe.augment, self.disturber, seed)
        plan = replace(self, recipe=recipe, batches=batches, disturber=disturber, seed=seed)
        return replace(plan, before=self.last, before_epochs=self.epochs_after(self.last))


def fine_tuning_seed(seed: int) -> int:
    """Return the seed of a fine-tuning, which does not repeat the draws of its training."""
    return int.from_bytes(hashlib.sha256(f"{seed}:fine-tuning".encode()).digest()[:7], "big")


@dataclass(frozen=True)
class AtOriginalSpeed(TrainingBatches):
    """Crops as they are, for a classifier that knows each label at several speeds.

    Attributes:
        place: index of the original speed among those that the classifier knows.
    """

    place: int = 0

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Return raw content `[batch, ...]` and the classes `[batch]` at original speed."""
        content, labels = super().at(step)
        return content, labels + len(self.classes) * self.place


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
