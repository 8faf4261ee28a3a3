"""What is judged of an item at once: the whole of it, or crops at places that never change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from harness.adapter import Input
from harness.config.recipes import EvenCrops
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.frames import frame_count, least_frames, samples_for
from harness.datasets.subset import Subset
from harness.errors import ConfigError


@dataclass(frozen=True)
class Piece:
    """One item, or a crop of it.

    Attributes:
        row: of the subset.
        start: its first number.
        shape: in which it goes into its batch; of sound, whole frames alone.
    """

    row: int
    start: int
    shape: tuple[int, ...]

    def content(self, subset: Subset) -> NDArray[Any]:
        """What it holds."""
        return subset.item(self.row)[self.start : self.start + self.shape[0]]


def pieces_of(
    subset: Subset, row: int, declared: Input, crops: EvenCrops | None = None
) -> list[Piece]:
    """What is judged of an item.

    Args:
        subset: the split.
        row: which item.
        declared: the network's input.
        crops: None for the whole item. One that is no longer than a crop stays whole.

    Raises:
        ConfigError: an item or a crop is too short for the network, or crops are asked for of
            what is no sound.
    """
    whole = Piece(row, 0, _usable(subset, row, declared))
    if crops is None:
        return [whole]
    samples = round(crops.seconds * SAMPLE_RATE)
    shape = (_crop_length(samples, declared),)
    spare = subset.length(row) - samples
    if spare <= 0:
        return [whole]
    return [Piece(row, start, shape) for start in even_starts(spare, crops.count)]


def even_starts(spare: int, count: int) -> list[int]:
    """Where crops begin, of which the last can begin at `spare`: evenly from 0 to there.

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


def _usable(subset: Subset, row: int, declared: Input) -> tuple[int, ...]:
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
