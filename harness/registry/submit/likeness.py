"""Likeness of scores that are not the same: of one system moved a little, or of the labels.

A rising map that swaps a few trials, or noise of a few hundredths of the scores' deviation, makes
another file and hardly another order. So ranks are compared: Spearman's correlation over trials,
or over the classes of all items, ranked within each item. Nothing is refused by it: it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.records.record import Record
from harness.tasks.task import Scores

CLOSE = 0.99
"""The correlation of ranks from which on two systems are told to be alike.

Measured on all pairs of published scores: trainings of one network that differ in their seed reach
0.961 (trials) and 0.909 (classes), other losses from the same seed 0.984 and 0.926. A copy under
noise of 2 % of the scores' deviation has 0.9995 (trials) and 0.9955 (classes), of 10 % 0.995 of
trials, and a copy under a rising map 1.
"""

TELLING = 10
"""Distinct scores from which on an equal order is no chance."""

TELLING_CLASSES = 4
"""Classes from which on an equal order of them in every row is no chance."""

HARD = "its scores take two values alone, as labels or decisions do"

PERFECT = "it decides everything rightly, as scores made of the labels do"

Array = NDArray[Any]


def ranks_of(scores: Scores, names: Iterable[str]) -> dict[str, Array]:
    """Return the ranks of a system's arrays, ready to be compared; of arrays that tell little none.

    Args:
        scores: of one system.
        names: its arrays that test alone gives.

    Returns:
        Array's name -> ranks in one row, of mean 0 and length 1.
    """
    return {
        name: ranks
        for name in names
        if name in scores and (ranks := _ranks(scores[name])) is not None
    }


def closeness(ours: Mapping[str, Array], theirs: Mapping[str, Array]) -> float:
    """Return the least correlation of two systems' ranks over our arrays; 0 if none compares."""
    pairs = [(array, theirs.get(name)) for name, array in ours.items()]
    found = [
        float(one @ other) if other is not None and other.shape == one.shape else 0.0
        for one, other in pairs
    ]
    return min(found, default=0.0)


def told_likeness(other: Record, file: str, close: float) -> str:
    """Say that scores order everything as those of a record do.

    Args:
        other: the record.
        file: its file's name.
        close: the correlation of ranks.
    """
    return (
        f"its scores put things in nearly the order of {other.entry} ({file}): rank "
        f"correlation {close:.4f}, from {CLOSE:g} on seldom of two trainings"
    )


def told_labels(scores: Scores, names: Iterable[str], record: Record) -> Iterator[str]:
    """Say what of scores looks like labels.

    Args:
        scores: of one system.
        names: its arrays that test alone gives.
        record: its record, with its metrics.
    """
    arrays = [scores[name] for name in names if name in scores and scores[name].size >= TELLING]
    if arrays and all(len(np.unique(array)) == 2 for array in arrays):
        yield HARD
    primary = record.protocol.primary
    facts, metric = record.protocol.facts.get(primary), record.metrics.get(primary)
    if facts and metric and facts.unit == "%" and metric.value == float(facts.higher_is_better):
        yield PERFECT


def _ranks(array: Array) -> Array | None:
    """Rank an array, `[trials]` or `[items, classes]`, equal scores alike; None if it tells little.

    Order among fewer than four classes says little; two of them differ by one number a row.
    """
    from scipy.stats import rankdata

    if array.ndim == 2 and array.shape[1] == 2:
        array = array[:, 1].astype(np.float64) - array[:, 0]
    if array.ndim == 1:
        ranks = rankdata(array)
        is_telling = len(np.unique(array)) >= TELLING
    elif array.ndim == 2:
        ranks = rankdata(array, axis=1)
        is_telling = array.shape[1] >= TELLING_CLASSES and len(array) >= TELLING
    else:
        return None
    ranks = ranks.ravel() - ranks.mean()
    length = float(np.linalg.norm(ranks))
    return ranks / length if is_telling and length > 0 else None
