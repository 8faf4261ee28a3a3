"""Training splits made harder by a seeded rule: fewer items of some classes, wrong labels.

Validation and test stay as they are. What is left of a class, and what is labelled wrongly, depends
on the seed and on the names of items alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.split import hash_order
from harness.errors import DataError

TRUE_LABEL = "true_label"
"""Column of the right label of each item, where some training labels are wrong."""

DIFFICULTY, PLAIN = "difficulty", "plain"
"""Column of a corpus that knows which items are hard, and its value for those that are not."""


def thin_out(items: pd.DataFrame, imbalance: float, seed: int, name: str) -> pd.DataFrame:
    """Leave away training items, so that classes fall geometrically from the largest on.

    The long-tailed sets of Cui, Jia, Lin, Song and Belongie, "Class-Balanced Loss Based on
    Effective Number of Samples", CVPR 2019, section 5.1: class r of C keeps the largest count times
    `imbalance` ** (-r / (C - 1)), rounded. Classes are ranked by their training items, equal ones
    in the order of sha256(seed:label); the largest count is the highest that every class can keep
    its share of.

    Args:
        items: the item table, every item with its split.
        imbalance: items of the largest class over those of the smallest.
        seed: of the order of equal classes, and of the items that stay.
        name: how the error names the dataset.

    Raises:
        DataError: there is one class only, or the smallest would keep nothing.
    """
    training = items[items["split"] == "train"]
    counts = {str(label): int(n) for label, n in training["label"].value_counts().items()}
    ranked = sorted(counts, key=lambda label: (-counts[label], hash_order(seed, label)))
    kept = dict(zip(ranked, tail([counts[label] for label in ranked], imbalance), strict=True))
    if len(kept) < 2 or min(kept.values()) < 1:
        raise DataError(
            f"{name}.imbalance: {imbalance:g} leaves nothing of the smallest of {len(kept)} "
            "classes; give less"
        )
    order = training["id"].map(lambda id_: hash_order(seed, id_)).sort_values(kind="stable").index
    place = training.loc[order].groupby("label", sort=False).cumcount()
    stays = place < training.loc[order, "label"].map(kept)
    left: pd.DataFrame = items.drop(index=stays.index[~stays])
    return left.reset_index(drop=True)


def tail(counts: Sequence[int], imbalance: float) -> list[int]:
    """Return how many items each class keeps.

    Args:
        counts: of each class, from the largest to the smallest.
        imbalance: the first over the last of those that are kept.

    >>> tail([30, 30, 30], 10)
    [30, 9, 3]
    >>> tail([40, 30, 10], 1)
    [10, 10, 10]
    """
    last = max(1, len(counts) - 1)
    shares = [imbalance ** (-rank / last) for rank in range(len(counts))]
    largest = min(count / share for count, share in zip(counts, shares, strict=True))
    # Rounding must not ask for one more than there is.
    return [min(count, round(largest * share)) for count, share in zip(counts, shares, strict=True)]


def mislabel(items: pd.DataFrame, share: float, seed: int, name: str) -> pd.DataFrame:
    """Give a share of the training items the label of another class, each as likely as any.

    Symmetric noise, as Patrini, Rozza, Menon, Nock and Qu, "Making Deep Neural Networks Robust to
    Label Noise", CVPR 2017, section 5. The items are the first in the order of sha256(seed:id),
    the same hash chooses among the other classes.

    Args:
        items: the item table, every item with its split.
        share: of the training items; so many are wrong, rounded.
        seed: of the order.
        name: how the error names the dataset.

    Returns:
        The table, with the right labels in the column `true_label`.

    Raises:
        DataError: there is one class only.
    """
    training = items[items["split"] == "train"]
    classes = sorted(set(training["label"]))
    if len(classes) < 2:
        raise DataError(f"{name}.wrong_labels: there is no other class than {classes[0]!r}")
    keys = training["id"].map(lambda id_: hash_order(seed, f"label:{id_}")).sort_values()
    wrong = items["label"].copy()
    for row, key in keys.iloc[: round(share * len(training))].items():
        others = [label for label in classes if label != items.at[row, "label"]]
        wrong.at[row] = others[int(key[-12:], 16) % len(others)]
    return items.assign(label=wrong, **{TRUE_LABEL: items["label"]})


def hard_items(items: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Return True for items that their corpus knows to be hard; None if it knows nothing of it."""
    if DIFFICULTY not in items:
        return None
    return ~items[DIFFICULTY].isin(["", PLAIN]).to_numpy(bool)


def mislabelled_items(items: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Return True for items with a wrong label; None if no label was made wrong on purpose."""
    if TRUE_LABEL not in items:
        return None
    wrong: NDArray[np.bool_] = (items[TRUE_LABEL] != items["label"]).to_numpy(bool)
    return wrong
