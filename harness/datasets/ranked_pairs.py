"""Pairs of a split's items of which one is to be ranked before the other, spread evenly."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.split import hash_order
from harness.datasets.item_pairs import Pairs, ring_pairs, take_pairs
from harness.errors import DataError

GRADE = "grade"
"""Column of an item table by which items are ranked: a number, higher is preferred."""

KINDS = ("close", "apart", "far apart")
"""Thirds of the pairs by how much their grades differ."""


def standard_grades(items: pd.DataFrame, training: pd.DataFrame) -> NDArray[np.float32] | None:
    """Return the grades of items, less the mean and over the deviation of the training items'.

    Args:
        items: a table.
        training: that of the training split.

    Returns:
        `[items]`; None if they have no grades.
    """
    if GRADE not in items:
        return None
    known = training[GRADE].to_numpy(np.float64)
    grades = (items[GRADE].to_numpy(np.float64) - known.mean()) / (known.std() or 1.0)
    return np.asarray(grades, dtype=np.float32)


def draw_ranked_pairs(items: pd.DataFrame, count: int, where: str) -> pd.DataFrame:
    """Return so many pairs of items of different grade, or all of them if there are fewer.

    Items are taken in the order of the hashes of their names, so that no table decides it, and
    each comes in about as many pairs as any other. Which of a pair stands first is as arbitrary;
    the pair is a `target` if it is the first that is preferred.

    Args:
        items: a split's, with the column `grade`.
        count: the longest list wanted.
        where: dataset and split, for the error.

    Returns:
        A trial list, `harness.data.corpus.TRIAL_COLUMNS`; `kind` is one of `KINDS`.

    Raises:
        DataError: there are no grades, one is not finite, or all are the same.
    """
    if GRADE not in items:
        raise DataError(
            f"{where}: rank_pairs: the corpus grades no items; take this key out, or name what it "
            "ranks by (of open-impacts: rank_by)"
        )
    keys = [hash_order(0, str(name)) for name in items["id"]]
    table = items.iloc[np.argsort(np.array(keys, dtype=str), kind="stable")]
    grades = table[GRADE].to_numpy(np.float64)
    if not np.isfinite(grades).all():
        first = table["id"].iloc[int(np.flatnonzero(~np.isfinite(grades))[0])]
        raise DataError(f"{where}: the grade of {first} is no finite number; mend the corpus")

    def differ(pairs: Pairs) -> np.ndarray:
        return np.asarray(grades[pairs[:, 0]] != grades[pairs[:, 1]])

    pairs = take_pairs(ring_pairs(len(table)), count, differ)
    gaps = grades[pairs[:, 0]] - grades[pairs[:, 1]]
    if not ((gaps > 0).any() and (gaps < 0).any()):
        raise DataError(
            f"{where}: its {len(table):,} items give no pairs of different grade in both orders; "
            "give it more items, or a longer list"
        )
    ids, edges = table["id"].to_numpy(), np.quantile(np.abs(gaps), (1 / 3, 2 / 3))
    kind = np.asarray(KINDS, dtype=object)[np.digitize(np.abs(gaps), edges)]
    return pd.DataFrame(
        {"enrol": ids[pairs[:, 0]], "test": ids[pairs[:, 1]], "target": gaps > 0, "kind": kind}
    )
