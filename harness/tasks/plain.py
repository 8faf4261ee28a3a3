"""Features that need no training: the input of the baseline rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.datasets.dataset import OpenDataset
from harness.tasks.mfcc import mfcc_statistics

MIN_STD = 1e-6
"""Added to a feature's deviation, so that one that never changes is not divided by zero."""


def standardised_features(dataset: OpenDataset, split: str) -> NDArray[np.float32]:
    """Return plain features of a split, standardised by mean and deviation of the training split.

    Without this the few largest cepstra (or pixels) would decide alone, and the baseline would
    be easier to beat than it should.

    Returns:
        `[items, features]` in the order of the split: cepstral statistics of sounds, pixels of
        pictures.
    """
    return standardised_with_training(dataset, split)[1]


def standardised_with_training(
    dataset: OpenDataset, split: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return standardised features of the training split, which is read once, and of a split."""
    train = plain_features(dataset, "train")
    values = train if split == "train" else plain_features(dataset, split)
    mean, spread = train.mean(0), train.std(0) + MIN_STD
    trained, asked = (
        np.asarray((part - mean) / spread, dtype=np.float32) for part in (train, values)
    )
    return trained, asked


def plain_features(dataset: OpenDataset, split: str) -> NDArray[np.float32]:
    """Return cepstral statistics of a split's sounds, or pixels of its pictures.

    Returns:
        `[items, features]`.
    """
    subset = dataset.subset(split)
    contents = (subset.item(index) for index in range(len(subset)))
    if dataset.listing.corpus.kind == "audio":
        return np.stack([mfcc_statistics(content) for content in contents])
    return np.stack([content.reshape(-1).astype(np.float32) for content in contents])
