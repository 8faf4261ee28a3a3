"""Batches of an evaluation: every item whole, or in crops at places that never change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from harness.adapter import Input
from harness.config.recipes import EvenCrops
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.lengths import frame_count, least_frames, samples_for
from harness.errors import ConfigError
from harness.feeding.front_end import raw_tensor


class Items(Protocol):
    """Items whose outputs are computed: a split of a dataset, or files that somebody gives.

    Attributes:
        items: a row each, with at least its `id` and its `source`.
    """

    @property
    def items(self) -> pd.DataFrame:
        """The table of items, numbered from 0."""

    def __len__(self) -> int:
        """Return the number of items."""

    def item(self, index: int) -> NDArray[Any]:
        """Return the content of one item."""

    def shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of one item."""

    def length(self, index: int) -> int:
        """Return the count of numbers in an item (samples, for audio)."""


@dataclass(frozen=True)
class Excerpt:
    """One item, or a crop of it.

    Attributes:
        row: of the subset.
        start: place of its first number in the item.
        shape: of its row in a batch; of sound, whole frames alone.
    """

    row: int
    start: int
    shape: tuple[int, ...]

    def content(self, subset: Items) -> NDArray[Any]:
        """Return its numbers."""
        return subset.item(self.row)[self.start : self.start + self.shape[0]]


def whole_batches(
    subset: Items, declared: Input, most: float, crops: EvenCrops | None = None
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield every item once and whole, in batches of one length: no padding, no cut frame.

    Args:
        subset: the split.
        declared: the network's input; audio is grouped by its number of frames.
        most: most numbers (samples, pixels) in a batch.
        crops: of each item, in place of the whole of it; its row then comes once a crop.

    Yields:
        Rows of the subset and their raw content `[batch, ...]`.

    Raises:
        ConfigError: an item is too short for one frame, or cannot be cropped.
    """
    groups: dict[tuple[int, ...], list[Excerpt]] = {}
    for row in range(len(subset)):
        for excerpt in excerpts_of(subset, row, declared, crops):
            groups.setdefault(excerpt.shape, []).append(excerpt)
    for shape, excerpts in sorted(groups.items()):
        size = max(1, int(most // max(1, math.prod(shape))))
        for start in range(0, len(excerpts), size):
            batch = excerpts[start : start + size]
            rows = np.array([excerpt.row for excerpt in batch], dtype=np.int64)
            yield rows, raw_tensor([excerpt.content(subset) for excerpt in batch])


def excerpts_of(
    subset: Items, row: int, declared: Input, crops: EvenCrops | None = None
) -> list[Excerpt]:
    """Return the whole item, or its crops.

    Args:
        subset: the split.
        row: of the item.
        declared: the network's input.
        crops: None for the whole item. One that is no longer than a crop stays whole.

    Raises:
        ConfigError: an item or a crop is too short for the network, or crops are asked for of
            pictures or vectors.
    """
    whole = Excerpt(row, 0, _usable_shape(subset, row, declared))
    if crops is None:
        return [whole]
    samples = round(crops.seconds * SAMPLE_RATE)
    shape = (_crop_length(samples, declared),)
    spare = subset.length(row) - samples
    if spare <= 0:
        return [whole]
    return [Excerpt(row, start, shape) for start in even_starts(spare, crops.count)]


def even_starts(spare: int, count: int) -> list[int]:
    """Return starts of crops, evenly from 0 to `spare`, the last place that fits.

    >>> even_starts(100, 5)
    [0, 25, 50, 75, 100]
    >>> even_starts(100, 1)
    [50]
    """
    if count == 1:
        return [spare // 2]
    return [spare * number // (count - 1) for number in range(count)]


def _crop_length(samples: int, declared: Input) -> int:
    if declared.kind != "audio":
        raise ConfigError(f"test_crops: are of sound, and the network takes {declared.kind}s")
    frames = frame_count(declared, samples)
    if frames < least_frames(declared):
        raise ConfigError(f"test_crops: {samples} samples are shorter than {_least(declared)}")
    return samples_for(declared, frames)


def _usable_shape(subset: Items, row: int, declared: Input) -> tuple[int, ...]:
    if declared.kind != "audio":
        return subset.shape(row)
    frames = frame_count(declared, subset.length(row))
    if frames < least_frames(declared):
        raise ConfigError(
            f"{subset.items['id'].iloc[row]}: {subset.length(row)} samples are shorter "
            f"than {_least(declared)}; leave it out of the manifest"
        )
    return (samples_for(declared, frames),)


def _least(declared: Input) -> str:
    least = least_frames(declared)
    return "one frame" if least == 1 else f"the {least} frames that the network needs"
