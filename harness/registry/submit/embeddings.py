"""Embeddings of a dataset's items, scored by the suite's own task as those of a run are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.metrics.validation import MetricError
from harness.records.npz import read_arrays
from harness.registry.submit.arrays import LONGEST_NAME, numbers, texts
from harness.registry.submit.naming import Named, check_direction, check_finite
from harness.tasks.task import Scores, Side, Task, training_lists

EXPECTED = "an .npz file with `ids` [N], text, and `embeddings` [N, D], numbers"

LARGEST = 8_192
"""Values of an embedding that a file may hold for every item."""

FURTHER = 1_000_000
"""Bytes beyond what the arrays need."""

SAME = 1e-6
"""Of the largest value of an embedding: what rounding to float32 moves the others by."""

DECIDED = ("threshold", "calibration")
"""Of a task's scores, what validation decides; all else comes of test alone."""


def embedding_scores(path: Path, listing: Listing, task: Task) -> Scores:
    """Scores of test, and what validation decides of them where its items are there too.

    Args:
        path: such a file as `EXPECTED` tells, of all test items; of all validation items where
            thresholds and calibration are to be judged; of all training items where the task
            scores against them.
        listing: the dataset's lists.
        task: of the suite.

    Raises:
        RequestError: it is none such, or items are missing, repeated or unknown, or their
            embeddings NaN, infinite or zero.
    """
    sides = _sides(path, listing, task)
    test, validation, training = (sides[split] for split in ("test", "validation", "train"))
    if test is None:
        raise RequestError(f"{path}: ids: holds no test item of {listing.key}; give all of them")
    if task.scores_with_training and training is None:
        raise RequestError(
            f"{path}: this suite scores against the training split; give its items' embeddings too"
        )
    wanted = training if task.scores_with_training else None
    try:
        if validation is not None:
            return task.score(validation, test, wanted)
        # What a task decides on its first side is thrown away: nothing may be decided on test.
        scores = task.score(test, test, wanted)
    except MetricError as error:
        raise RequestError(f"{path}: embeddings: cannot be scored: {error}") from error
    return {name: array for name, array in scores.items() if name not in DECIDED}


def _sides(path: Path, listing: Listing, task: Task) -> dict[str, Side | None]:
    """The splits that are there, each whole."""
    all_items = listing.items["id"].tolist()
    most = len(all_items) * (4 * LONGEST_NAME + 8 * LARGEST) + FURTHER
    arrays = read_arrays(path, ("ids", "embeddings"), most)
    if arrays.keys() != {"ids", "embeddings"}:
        raise RequestError(f"{path}: holds {', '.join(sorted(arrays)) or 'nothing'}; {EXPECTED}")
    ids = texts(arrays["ids"], f"{path}: ids")
    named = Named(ids, f"{path}: ids")
    named.check_known(all_items, listing.key)
    values = numbers(arrays["embeddings"], len(ids), f"{path}: embeddings")
    check_finite(values, ids.tolist(), f"{path}: embeddings")
    check_direction(values, ids.tolist(), f"{path}: embeddings")
    if _have_one_direction(values):
        values = np.zeros_like(values)
        values[:, 0] = 1  # Rounding would tell apart what is the same: here every cosine is 1.
    return {
        split: _side(named, values, listing, task, split)
        for split in ("test", "validation", "train")
    }


def _have_one_direction(values: NDArray[np.float32]) -> bool:
    """Whether all rows `[N, size]`, none of zeros alone, differ in length alone."""
    largest = np.abs(values).max(axis=1, keepdims=True)
    scaled = values / largest
    return bool(np.abs(scaled - scaled[0]).max() <= SAME)


def _side(
    named: Named, values: NDArray[np.float32], listing: Listing, task: Task, split: str
) -> Side | None:
    items = listing.split_items(split)["id"].tolist()
    rows = named.rows(items, split) if items else None
    if rows is None:
        return None
    lists = training_lists(listing) if split == "train" else task.lists(listing, split)
    return Side(np.ascontiguousarray(values[rows]), lists)
