"""Lengths of the items of a job's dataset, known from its lists or its pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.config.recipes import EvenCrops
from harness.data.corpus import SAMPLE_RATE
from harness.data.split import SPLITS
from harness.datasets.dataset import pack_folder
from harness.datasets.listing import Listing
from harness.datasets.packing.pack_files import open_pack
from harness.datasets.subset import MOST_SAMPLED

FRAMES_PER_SECOND = 100
"""Sounds with equally many frames are embedded together."""

TOGETHER_SECONDS = 64.0
"""Seconds of sound that are embedded at once (see `harness.train.system.MOST_NUMBERS`)."""

TOGETHER_PICTURES = 32
"""Pictures from which on embedding more at once is no faster."""


@dataclass(frozen=True)
class ItemLengths:
    """The lengths of a dataset's items, as far as its lists or its pack have them.

    Attributes:
        listing: the dataset.
        cache: the folder of its pack, if it has one.
        left_out: ids of damaged items.
    """

    listing: Listing
    cache: Path
    left_out: tuple[str, ...] = ()

    @property
    def is_audio(self) -> bool:
        """True if they have lengths at all."""
        return self.listing.corpus.kind == "audio"

    @cached_property
    def seconds(self) -> NDArray[np.float64] | None:
        """Length of each item, `[items]`; None if neither lists nor pack have it."""
        told = self.listing.items["seconds"].to_numpy(np.float64)
        if told.all():
            return told
        pack = open_pack(pack_folder(self.listing, self.cache))
        return pack.shapes[:, 0] / SAMPLE_RATE if pack is not None else None

    @cached_property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Split -> whether each item is in it and not left out."""
        return {split: self.listing.split_mask(split, self.left_out) for split in SPLITS}

    @cached_property
    def training_items(self) -> int:
        """Items of the training split, short ones joined if that is asked; at least one."""
        mask = self.masks["train"]
        least = self.listing.config.join_seconds
        if least is None or self.seconds is None:
            return max(1, int(mask.sum()))
        units = int(self.listing.items.loc[mask, "unit"].nunique())
        return min(int(mask.sum()), max(units, int(self.seconds[mask].sum() / least), 1))

    @cached_property
    def sampled(self) -> float:
        """The share of training items that are judged beside validation."""
        train, validation = (int(self.masks[split].sum()) for split in ("train", "validation"))
        return min(1.0, MOST_SAMPLED / max(1, train), validation / max(1, train))

    def of(self, splits: Sequence[str], crops: EvenCrops | None = None) -> NDArray[np.float64]:
        """Return the lengths of all that is embedded of some splits, `[pieces]`; 0 for pictures.

        Raises:
            LookupError: they are not known.
        """
        masks = [self.masks[split] for split in splits]
        if not self.is_audio:
            return np.zeros(sum(int(mask.sum()) for mask in masks))
        if self.seconds is None:
            raise LookupError("its lists do not tell how long its sounds are, and it is not packed")
        lengths = np.concatenate([self.seconds[mask] for mask in masks])
        if crops is None:
            return lengths
        long = lengths > crops.seconds
        cut = np.full(int(long.sum()) * crops.count, crops.seconds)
        return np.concatenate([lengths[~long], cut])


def items_together(lengths: NDArray[np.float64], *, is_audio: bool) -> int:
    """Return how many items go through the network at once in embedding, on average."""
    if not is_audio:
        return min(TOGETHER_PICTURES, len(lengths))
    frames = np.floor(lengths * FRAMES_PER_SECOND)
    alike = len(lengths) / len(np.unique(frames))
    return int(max(1, min(alike, TOGETHER_SECONDS / lengths.mean())))
