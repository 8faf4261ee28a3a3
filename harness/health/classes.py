"""How evenly items fall into classes, and the smallest class."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.series.series import Series, StepVector

COUNTS = ("class", "cluster", "selected", "counts")
"""Words of a vector's name that say it counts the items of classes."""

FEWEST = 10
"""Items of a class on average; of fewer, one draw of even classes looks uneven."""


@dataclass(frozen=True)
class ClassBalance:
    """Counts of classes at one step.

    Attributes:
        name: of the vector.
        classes: how many.
        total: items of all of them.
        evenness: Pielou's (J. Theor. Biol. 13, 1966): the entropy of the shares over its largest
            value; 1 is even, 0 all in one class.
        ratio: largest count over smallest; infinite where one is 0.
        smallest: the smallest count.
        label: of the class that has it; its number where classes have no names.
        of_clusters: whether the counts are those of clusters, which the training found itself.
    """

    name: str
    classes: int
    total: float
    evenness: float
    ratio: float
    smallest: float
    label: str
    of_clusters: bool = False


def class_balance(series: Series) -> ClassBalance | None:
    """Return the balance of the last counts of classes that a series has; None without any.

    Counts of fewer than `FEWEST` items a class, those of a batch, are not looked at. Where a vector
    speaks of clusters, the items that were selected are counted by cluster too.
    """
    vectors = [each for each in series.vectors if _counts(each)]
    if not vectors:
        return None
    last = vectors[-1]
    clusters = any("cluster" in each.name.lower() for each in vectors)
    selected = "selected" in last.name.lower() or "cluster" in last.name.lower()
    return replace(balance_of(last), of_clusters=clusters and selected)


def _counts(vector: StepVector) -> bool:
    values = np.array(vector.values)
    named = any(word in vector.name.lower() for word in COUNTS)
    usable = len(values) > 1 and np.isfinite(values).all() and (values >= 0).all()
    return named and not vector.edges and bool(usable) and values.sum() >= FEWEST * len(values)


def balance_of(vector: StepVector) -> ClassBalance:
    """Return the balance of one vector of counts."""
    counts = np.array(vector.values)
    shares = counts[counts > 0] / counts.sum()
    evenness = float(-(shares * np.log(shares)).sum() / np.log(len(counts)))
    least = int(counts.argmin())
    ratio = float(counts.max() / counts[least]) if counts[least] else float("inf")
    label = vector.labels[least] if len(vector.labels) == len(counts) else str(least)
    total, smallest = float(counts.sum()), float(counts[least])
    return ClassBalance(vector.name, len(counts), total, evenness, ratio, smallest, label)
