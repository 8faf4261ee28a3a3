"""Vectors of turns as they are, pooled: the input of the rows that need no training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.data.corpus import OfVectors
from harness.datasets.dataset import OpenDataset
from harness.errors import ConfigError

MIN_SPREAD = 1e-6


def turn_features(dataset: OpenDataset, split: str) -> NDArray[np.float32]:
    """Return the vectors of a split's turns, `[items, size]`, none of its modalities louder.

    The frames of a turn that are not zeros are averaged. Each modality is divided by its root mean
    square distance to its mean over the training split, so that none decides by its unit alone.

    Raises:
        ConfigError: the dataset's items are no vectors.
    """
    corpus, folder = dataset.listing.corpus, dataset.listing.folder
    if not isinstance(corpus, OfVectors):
        raise ConfigError(f"{dataset.listing.name}: its items are no vectors to be clustered")
    sizes = corpus.sizes(folder)
    train = _pooled(dataset, "train")
    asked = train if split == "train" else _pooled(dataset, split)
    parts, start = [], 0
    for name in ("text", "audio", "video"):
        own = slice(start, start := start + sizes[name])
        gaps = train[:, own] - train[:, own].mean(axis=0)
        spread = float(np.sqrt(np.square(gaps).sum(axis=1).mean())) if sizes[name] else 1.0
        parts.append(asked[:, own] / max(spread, MIN_SPREAD))
    return np.asarray(np.concatenate(parts, axis=1), dtype=np.float32)


def _pooled(dataset: OpenDataset, split: str) -> NDArray[np.float64]:
    subset = dataset.subset(split)
    turns = []
    for index in range(len(subset)):
        frames = subset.item(index).astype(np.float64)
        there = frames.any(axis=1)
        turns.append(frames[there].mean(axis=0) if there.any() else frames[0])
    return np.stack(turns)
