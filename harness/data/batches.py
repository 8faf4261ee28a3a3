"""Which items make the batch of a step: a function of seed and step alone.

Nothing is remembered between steps, so a resumed run sees what an unbroken one sees.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.adapter import Input
from harness.data.corpus import SAMPLE_RATE
from harness.data.dataset import Subset
from harness.data.front_end import frame_count, raw_tensor, samples_for
from harness.errors import ConfigError


@dataclass(frozen=True)
class TrainingBatches:
    """Random crops (or whole items) of a training split, with their class indices.

    Attributes:
        subset: the training split.
        classes: label of each class index.
        batch: items a step.
        crop_seconds: length of a crop; None where items are taken whole.
        seed: of order and crops.
    """

    subset: Subset
    classes: tuple[str, ...]
    batch: int
    crop_seconds: float | None
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass over the split."""
        return max(1, len(self.subset) // self.batch)

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Raw content `[batch, ...]` and class indices `[batch]` of one step."""
        chosen = self._indices(step)
        places = np.random.Generator(np.random.PCG64([self.seed, 1, step]))
        contents = [self._content(index, places.random()) for index in chosen]
        lookup = {label: number for number, label in enumerate(self.classes)}
        labels = [lookup[label] for label in self.subset.items["label"].to_numpy()[chosen]]
        return raw_tensor(contents), torch.tensor(labels)

    def _indices(self, step: int) -> NDArray[np.int64]:
        """An epoch's items, each at most once; a split smaller than a batch is repeated.

        Items that do not fill a last batch wait for another epoch, whose order differs.
        """
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.Generator(np.random.PCG64([self.seed, 0, epoch]))
        permuted = np.resize(order.permutation(len(self.subset)), max(self.batch, len(self.subset)))
        return permuted[place * self.batch : (place + 1) * self.batch]

    def _content(self, index: int, place: float) -> NDArray[np.int16] | NDArray[np.uint8]:
        if self.crop_seconds is None:
            return self.subset.item(index)
        samples = round(self.crop_seconds * SAMPLE_RATE)
        spare = max(0, self.subset.length(index) - samples)
        start = int(place * (spare + 1))
        return self.subset.pack.span(int(self.subset.rows[index]), start, samples)


def whole_batches(
    subset: Subset, declared: Input, most: float
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Every item once and whole, in batches of one length: no padding, no cut frame.

    Args:
        subset: the split.
        declared: the network's input; audio is grouped by its number of frames.
        most: most numbers (samples, pixels) in a batch.

    Yields:
        Rows of the subset and their raw content `[batch, ...]`.

    Raises:
        ConfigError: an item is too short for one frame.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for index in range(len(subset)):
        groups.setdefault(_usable(declared, subset, index), []).append(index)
    for shape, rows in sorted(groups.items()):
        size = max(1, int(most // max(1, math.prod(shape))))
        for start in range(0, len(rows), size):
            chosen = np.array(rows[start : start + size], dtype=np.int64)
            yield chosen, raw_tensor([_cut(subset, index, shape) for index in chosen])


def _usable(declared: Input, subset: Subset, index: int) -> tuple[int, ...]:
    """The shape in which an item goes into its batch."""
    if declared.kind != "audio":
        return subset.shape(index)
    frames = frame_count(declared, subset.length(index))
    if frames < 1:
        raise ConfigError(
            f"{subset.items['id'].iloc[index]}: {subset.length(index)} samples are shorter "
            "than one frame; leave it out of the manifest"
        )
    return (samples_for(declared, frames),)


def _cut(
    subset: Subset, index: int, shape: tuple[int, ...]
) -> NDArray[np.int16] | NDArray[np.uint8]:
    return subset.item(index)[: shape[0]]
