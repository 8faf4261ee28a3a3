"""Inputs of a training step, a function of seed and step alone, wherever they are made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.adapter import Batch, Input
from harness.config.recipe_tables import Augment
from harness.feeding.batches import TrainingBatches
from harness.feeding.disturbance import Disturbance, Disturber, disturb
from harness.feeding.effects import at_speed, limit_peak, mask_features, samples_before
from harness.feeding.front_end import front_end
from harness.feeding.mixing import MixedLabels, Mixing, draw_mixing, mix_inputs
from harness.feeding.picture_changes import change_pictures, draw_changes


class Crops(NamedTuple):
    """Raw content of a step, and the augmentation of its sound.

    Attributes:
        content: `[batch, ...]`; crops that a speed will shorten are longer than the others.
        labels: class indices, `[batch]`.
        speeds: place of each crop's speed among the recipe's, `[batch]`.
        disturbance: rooms and noises; None if the recipe has none.
        grades: what items are ranked by, `[batch]`; None if they have none.
        changes: draws of each picture's changes; None if the recipe has none.
        mixing: what each item is mixed with; None if the recipe mixes none.
    """

    content: Tensor
    labels: Tensor
    speeds: Tensor
    disturbance: Disturbance | None
    grades: Tensor | None = None
    changes: Tensor | None = None
    mixing: Mixing | None = None

    def to(self, device: torch.device) -> Crops:
        """Return the same crops on a device."""
        content, labels, speeds = (each.to(device) for each in self[:3])
        disturbance, grades, changes, mixing = self[3:]
        if disturbance is not None:
            disturbance = Disturbance(*(each.to(device) for each in disturbance))
        if grades is not None:
            grades = grades.to(device)
        if changes is not None:
            changes = changes.to(device)
        if mixing is not None:
            mixing = Mixing(*(each.to(device) for each in mixing))
        return Crops(content, labels, speeds, disturbance, grades, changes, mixing)


class Inputs(NamedTuple):
    """Inputs of a network in one training step.

    Attributes:
        values: the network's input, `[batch, ...]`.
        labels: class indices, `[batch]`.
        random_state: of the processor's generator once they are made: a step goes on from there,
            as if it had made them itself. None if the device's own generator was used.
        grades: what items are ranked by, `[batch]`; None if they have none.
        mixed: second labels and weights, of items that were mixed; None if none were.
    """

    values: Tensor
    labels: Tensor
    random_state: Tensor | None = None
    grades: Tensor | None = None
    mixed: MixedLabels | None = None

    @property
    def batch(self) -> Batch:
        """All that a loss may ask for beside the embeddings."""
        if self.mixed is None:
            return Batch(self.labels, grades=self.grades)
        return Batch(
            self.labels,
            mix_labels=self.mixed.labels,
            mix_weights=self.mixed.weights,
            grades=self.grades,
        )


@dataclass(frozen=True)
class InputMaker:
    """Makes the inputs of any step: they depend on seed and step alone.

    Attributes:
        batches: draws the crops.
        disturber: draws rooms and noises; None if the recipe has none.
        declared: the network's input.
        augment: the recipe's augmentation.
        seed: of everything random.
    """

    batches: TrainingBatches
    disturber: Disturber | None
    declared: Input
    augment: Augment
    seed: int

    def crops(self, step: int) -> Crops:
        """Cut a step's crops out of the packs."""
        content, labels = self.batches.at(step)
        speeds, samples = torch.from_numpy(self.batches.speeds_at(step)), self.batches.samples
        drawn, grades = None, self.batches.grades_at(step)
        rows, plan = len(content), self.augment
        if self.disturber is not None:
            drawn = self.disturber.at(step, rows, samples or content.shape[1])
        changes = draw_changes(self.seed, step, rows) if plan.pictures else None
        mixing = draw_mixing(plan, self.seed, step, rows) if plan.mixes else None
        return Crops(content, labels, speeds, drawn, grades, changes, mixing)

    def inputs(self, step: int) -> Inputs:
        """Make a step's inputs on the processor, with a generator of their own."""
        generator = torch.Generator().manual_seed(step_seed(self.seed, step))
        made = self.from_crops(self.crops(step), generator)
        return made._replace(random_state=generator.get_state())

    def from_crops(self, crops: Crops, generator: torch.Generator | None) -> Inputs:
        """Make inputs of crops, on the device where they are; the rest is as of `prepare`."""
        values = self.prepare(crops, generator)
        if crops.mixing is None:
            return Inputs(values, crops.labels, grades=crops.grades)
        mixed, labels = mix_inputs(values, crops.labels, crops.mixing)
        return Inputs(mixed, crops.labels, grades=crops.grades, mixed=labels)

    def prepare(self, crops: Crops, generator: torch.Generator | None) -> Tensor:
        """Augment crops and make features of them, mixing none, on the device where they are.

        Args:
            crops: a step's.
            generator: of dither and masks; None takes the device's own.
        """
        device = crops.content.device
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            wave = self._waveform(crops)
            features = self._front_end.to(device)(wave, generator)
            return mask_features(features, self.declared, self.augment, generator)

    def _waveform(self, crops: Crops) -> Tensor:
        wave = crops.content
        if self.augment.pictures is not None and crops.changes is not None:
            return change_pictures(wave, self.augment.pictures, crops.changes)
        if self.augment.speeds:
            wave = self._at_speeds(wave, crops.speeds)
        return wave if crops.disturbance is None else disturb(wave, crops.disturbance)

    def _at_speeds(self, wave: Tensor, speeds: Tensor) -> Tensor:
        samples = self.batches.samples or wave.shape[1]
        played = wave.new_empty(len(wave), samples)
        for place, speed in enumerate(self.augment.speeds):
            rows = torch.nonzero(speeds == place).flatten()
            if len(rows):
                needed = samples_before(samples, speed)
                played[rows] = at_speed(wave[rows, :needed], speed, samples)
        return limit_peak(played)

    @cached_property
    def _front_end(self) -> nn.Module:
        """A module of its own: the system's is switched to evaluation and back meanwhile."""
        return front_end(self.declared).train()


def with_nearest(maker: InputMaker, nearest: NDArray[np.int64]) -> InputMaker:
    """Return the same maker, its sampler drawing hard labels by a table of the nearest classes."""
    return replace(maker, batches=replace(maker.batches, nearest=nearest))


def step_seed(seed: int, step: int) -> int:
    """Return the seed of a step: 56 bits of a hash, so that no two steps share their draws."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{step}".encode()).digest()[:7], "big")
