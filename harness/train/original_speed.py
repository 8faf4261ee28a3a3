"""Batches of a training that no longer plays its crops at several speeds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from harness.feeding.batches import TrainingBatches


@dataclass(frozen=True)
class AtOriginalSpeed(TrainingBatches):
    """Crops as they are, for a classifier that knows each label at several speeds.

    Attributes:
        place: of the original speed among those that the classifier knows.
    """

    place: int = 0

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Raw content `[batch, ...]` and indices `[batch]` of the classes at original speed."""
        content, labels = super().at(step)
        return content, labels + len(self.classes) * self.place
