"""Scores of a dataset's pictures, the worst by each, and near-duplicates across splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.picture_scores import (
    area_means,
    contrast,
    grey_levels,
    perceptual_hash,
    sharpness,
)
from harness.data.split import SPLITS
from harness.data.square_picture import header_size
from harness.datasets.listing import Listing
from harness.datasets.packing.pack import Pack

LEAST_SIDE = 32
"""Pixels; smaller pictures are too much alike for a hash to tell copies of one."""

FARTHEST = 8
"""Bits of 64 in which the hashes of two near-duplicates may differ."""

THUMBNAIL = 16
LEAST_CORRELATION = 0.97
"""And their thumbnails of so many pixels a side are to correlate so well."""

NAMED = 5
"""Pictures that are named as the worst by a score."""

AT_ONCE = 512
"""Pictures whose hashes are compared with all others at once."""


@dataclass(frozen=True)
class ScoreSummary:
    """One score over all pictures of a dataset.

    Attributes:
        low, median, high: the 5th, 50th and 95th percentile.
        worst: id, source and value of the pictures with the lowest values.
    """

    low: float
    median: float
    high: float
    worst: list[dict[str, Any]]


@dataclass(frozen=True)
class NearDuplicate:
    """Two pictures of different splits that show nearly the same.

    Attributes:
        ids: theirs.
        splits: theirs.
        bits: in which their hashes differ.
        mirrored: one is the other's mirror image.
    """

    ids: tuple[str, str]
    splits: tuple[str, str]
    bits: int
    mirrored: bool = False


@dataclass(frozen=True)
class PictureCheck:
    """What is told of pictures that can be read.

    Attributes:
        scores: `sharpness` (variance of the Laplacian), `contrast` (deviation of grey levels, full
            scale 1) and `size` (pixels of the shorter side of the file's picture).
        near_duplicates: across splits.
    """

    scores: dict[str, ScoreSummary]
    near_duplicates: list[NearDuplicate]


def check_pictures(listing: Listing, pack: Pack) -> PictureCheck:
    """Score every picture that can be read, and find near-duplicates across splits.

    Args:
        listing: of a dataset of pictures.
        pack: its content.
    """
    rows = np.array([row for row in range(len(pack)) if row not in pack.damaged], dtype=np.int64)
    if not len(rows):
        return PictureCheck({}, [])
    values: dict[str, list[float]] = {"sharpness": [], "contrast": [], "size": []}
    hashes, thumbnails = [], []
    for row in rows.tolist():
        grey = grey_levels(pack.item(row))
        hashes.append((perceptual_hash(grey), perceptual_hash(grey[:, ::-1])))
        thumbnails.append(area_means(grey, THUMBNAIL).astype(np.float32))
        values["sharpness"].append(sharpness(grey) if min(grey.shape) > 2 else 0.0)
        values["contrast"].append(contrast(grey))
        values["size"].append(_shorter_side(listing, row, grey.shape))
    scores = {name: _summary(listing, rows, found) for name, found in values.items()}
    least = int(pack.shapes[rows, :2].min())
    if least < LEAST_SIDE:
        return PictureCheck(scores, [])
    table = np.array(hashes, dtype=np.uint64)
    found = near_duplicates(table, np.stack(thumbnails), _split_codes(listing, rows))
    ids, splits = listing.items["id"].tolist(), listing.items["split"].tolist()
    return PictureCheck(scores, [_named(pair, rows, ids, splits) for pair in found])


def near_duplicates(
    hashes: NDArray[np.uint64], thumbnails: NDArray[np.float32], groups: NDArray[np.int64]
) -> list[tuple[int, int, int, bool]]:
    """Find pairs of pictures of different groups that are nearly alike.

    Args:
        hashes: of each picture and of its mirror image, `[pictures, 2]`.
        thumbnails: `[pictures, side, side]`.
        groups: pictures of one group are not compared, `[pictures]`.

    Returns:
        First and second picture, differing bits, and whether one is mirrored; the nearest first.
    """
    flat = _standardised(thumbnails)
    mirrored = _standardised(thumbnails[:, :, ::-1])
    found = []
    for first, second, bits, turned in _near_hashes(hashes, groups):
        other = mirrored if turned else flat
        if float(flat[first] @ other[second]) >= LEAST_CORRELATION:
            found.append((first, second, bits, turned))
    return sorted(found, key=lambda pair: (pair[2], pair[0], pair[1]))


def _near_hashes(
    hashes: NDArray[np.uint64], groups: NDArray[np.int64]
) -> Iterator[tuple[int, int, int, bool]]:
    """Yield pairs whose hashes differ in few bits, each once."""
    seen: set[tuple[int, int]] = set()
    for start in range(0, len(hashes), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        for which in (0, 1):
            bits = np.bitwise_count(hashes[part, :1] ^ hashes[None, :, which])
            near = (bits <= FARTHEST) & (groups[part, None] != groups[None])
            for row, second in np.argwhere(near).tolist():
                pair = (min(start + row, second), max(start + row, second))
                if pair not in seen:
                    seen.add(pair)
                    yield *pair, int(bits[row, second]), bool(which)


def _standardised(thumbnails: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return thumbnails as vectors of mean 0 and length 1, `[pictures, pixels]`."""
    flat = thumbnails.reshape(len(thumbnails), -1)
    apart = flat - flat.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(apart).sum(axis=1, keepdims=True))
    return np.asarray(apart / np.maximum(length, 1e-6), dtype=np.float32)


def _split_codes(listing: Listing, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([SPLITS.index(split) for split in listing.items["split"].iloc[rows]], np.int64)


def _named(
    pair: tuple[int, int, int, bool], rows: NDArray[np.int64], ids: list[str], splits: list[str]
) -> NearDuplicate:
    first, second = int(rows[pair[0]]), int(rows[pair[1]])
    return NearDuplicate(
        (ids[first], ids[second]), (splits[first], splits[second]), pair[2], pair[3]
    )


def _shorter_side(listing: Listing, row: int, shape: tuple[int, ...]) -> float:
    """Return the shorter side of a picture as its file has it, or as the corpus makes it."""
    if listing.corpus.needs_folder:
        size = header_size(listing.folder / str(listing.items["source"].iloc[row]))
        if size is not None:
            return float(min(size))
    return float(min(shape[:2]))


def _summary(listing: Listing, rows: NDArray[np.int64], values: list[float]) -> ScoreSummary:
    numbers = np.array(values)
    low, median, high = np.percentile(numbers, (5, 50, 95)).tolist()
    worst = [
        {
            "id": str(item["id"]),
            "source": str(listing.folder / str(item["source"])),
            "value": values[place],
        }
        for place in np.argsort(numbers, kind="stable")[:NAMED].tolist()
        for item in [listing.items.iloc[int(rows[place])]]
    ]
    return ScoreSummary(low, median, high, worst)


def missing_classes(listing: Listing) -> dict[str, list[str]]:
    """Return split -> classes of the dataset that it has no picture of, where there are any."""
    every = set(listing.items["label"])
    found = {
        split: sorted(every - set(listing.items.loc[listing.items["split"] == split, "label"]))
        for split in SPLITS
    }
    return {split: labels for split, labels in found.items() if labels}
