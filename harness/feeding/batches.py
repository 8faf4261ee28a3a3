"""Training batches: the items of a step are a function of seed and step alone.

No state is kept between steps, so a resumed run sees the same batches as an unbroken one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.config.recipe_tables import Sampler
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.ranked_pairs import standard_grades
from harness.datasets.subset import Subset
from harness.feeding.effects import samples_before
from harness.feeding.front_end import raw_tensor
from harness.feeding.sampler import LabelSampler


@dataclass(frozen=True)
class TrainingBatches:
    """Random crops (or whole items) of a training split, with their class indices.

    Attributes:
        subset: the training split.
        classes: label of each class index.
        batch: items a step.
        crop_seconds: length of a crop; None if items are taken whole.
        seed: of order and crops.
        speeds: at which crops are going to be played, each as likely as another; at each, a label
            is a class of its own.
        sampler: counts of labels and of items of each in a batch, a label's items all at one
            speed; None for items as they come.
        nearest: the classes nearest to each class, nearest first, `[classes, several]`, if the
            sampler draws hard labels by them.
    """

    subset: Subset
    classes: tuple[str, ...]
    batch: int
    crop_seconds: float | None
    seed: int
    speeds: tuple[float, ...] = ()
    sampler: Sampler | None = None
    nearest: NDArray[np.int64] | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass over the split, or in as many crops."""
        return max(1, len(self.subset) // self.batch)

    @property
    def mines(self) -> bool:
        """True if the sampler draws hard labels by `nearest`."""
        return self.sampler is not None and self.sampler.anchors < self.sampler.speakers

    @property
    def samples(self) -> int | None:
        """Length of a crop once it is at its speed; None if items are taken whole."""
        return None if self.crop_seconds is None else round(self.crop_seconds * SAMPLE_RATE)

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Return raw content `[batch, ...]` and class indices `[batch]` of one step.

        Crops are as long as their speed takes, and padded to the longest with zeros.
        """
        chosen, speeds = self.rows(step), self.speeds_at(step)
        places = np.random.Generator(np.random.PCG64([self.seed, 1, step]))
        lengths = self._lengths(speeds)
        longest = max((length or 0 for length in lengths), default=0)
        contents = []
        for index, length in zip(chosen, lengths, strict=True):
            content = self._content(index, length, places.random())
            short = length is not None and length < longest
            contents.append(np.pad(content, (0, longest - len(content))) if short else content)
        labels = self._class_indices[chosen] + len(self.classes) * speeds
        return raw_tensor(contents), torch.from_numpy(labels)

    def rows(self, step: int) -> NDArray[np.int64]:
        """Return the items of a step, as rows of the subset, `[batch]`."""
        if self._label_sampler is not None:
            return self._label_sampler.at(step, self.nearest)
        epoch, place = divmod(step, self.steps_per_epoch)
        order = _epoch_order(self.seed, epoch, len(self.subset), self.batch)
        return order[place * self.batch : (place + 1) * self.batch]

    def speeds_at(self, step: int) -> NDArray[np.int64]:
        """Draw the index of each crop's speed, `[batch]`; zeros if there are no speeds."""
        rng, several = np.random.Generator(np.random.PCG64([self.seed, 3, step])), len(self.speeds)
        if self.sampler is None:
            return rng.integers(max(1, several), size=self.batch)
        # A class is a voice at a speed, and the sampler promises so many crops of each.
        voices = rng.integers(max(1, several), size=self.sampler.speakers)
        return np.tile(voices, self.sampler.utterances)

    def grades_at(self, step: int) -> Tensor | None:
        """Return the standardised grades of a step's items, `[batch]`; None if they have none."""
        return None if self._grades is None else torch.from_numpy(self._grades[self.rows(step)])

    @cached_property
    def _grades(self) -> NDArray[np.float32] | None:
        """Grades of mean 0 and deviation 1, `[items]`."""
        return standard_grades(self.subset.items, self.subset.items)

    @cached_property
    def _class_indices(self) -> NDArray[np.int64]:
        places = pd.Index(self.classes).get_indexer(pd.Index(self.subset.items["label"]))
        return np.asarray(places, dtype=np.int64)

    @cached_property
    def _label_sampler(self) -> LabelSampler | None:
        if self.sampler is None:
            return None
        return LabelSampler(self._class_indices, self.sampler, self.seed)

    def _lengths(self, speeds: NDArray[np.int64]) -> list[int | None]:
        """Return the samples that each crop takes, None if items are taken whole."""
        if self.samples is None or not self.speeds:
            return [self.samples] * len(speeds)
        taken = [samples_before(self.samples, speed) for speed in self.speeds]
        return [taken[speed] for speed in speeds]

    def _content(
        self, index: int, samples: int | None, place: float
    ) -> NDArray[np.int16] | NDArray[np.uint8]:
        if samples is None:
            return self.subset.item(index)
        spare = max(0, self.subset.length(index) - samples)
        return self.subset.span(index, int(place * (spare + 1)), samples)


@lru_cache(maxsize=4)
def _epoch_order(seed: int, epoch: int, items: int, batch: int) -> NDArray[np.int64]:
    """Return an epoch's items, each at most once; a split smaller than a batch is repeated.

    Items that do not fill a last batch wait for another epoch, whose order differs.
    """
    order = np.random.Generator(np.random.PCG64([seed, 0, epoch])).permutation(items)
    repeated = np.resize(order, max(batch, items))
    repeated.flags.writeable = False
    return repeated
