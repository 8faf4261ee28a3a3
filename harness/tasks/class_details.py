"""Groups of classified items: each class by itself, and what else a corpus tells of its items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.metrics.accuracy import accuracy, accuracy_interval, balanced_accuracy, macro_f1
from harness.records.details_schema import Group, GroupMetric
from harness.tasks.groups import FEWEST, Grouping, by_duration, by_value, categories, values


def item_groupings(items: pd.DataFrame) -> dict[str, Grouping]:
    """Every grouping that says something of a split's items, by its name.

    A column of the corpus that is called `class` or `duration` is left away.
    """
    found = dict(_groupings(items))
    return {name: grouping for name, grouping in found.items() if grouping.says_something}


def _groupings(items: pd.DataFrame) -> Iterator[tuple[str, Grouping]]:
    for column in categories(items):
        yield column, by_value(*values(items[column]), column, f"items of that {column}")
    yield "duration", by_duration(items["seconds"].to_numpy(np.float64), "items that last so long")
    codes, names = pd.factorize(items["label"], sort=True)
    rule = "items of that class; their accuracy is its recall"
    yield "class", Grouping("class", rule, tuple(map(str, names)), codes.astype(np.int64))


@dataclass(frozen=True, kw_only=True)
class ItemJudge:
    """Judges groups of one split's items.

    Attributes:
        labels, decided: the true classes and those decided for, `[items]`.
        units: of the items, `[items]`.
        resamples, seed: of the draws of units.
    """

    labels: NDArray[np.str_]
    decided: NDArray[np.str_]
    units: NDArray[np.str_]
    resamples: int
    seed: int

    def __call__(self, name: str, own: NDArray[np.bool_]) -> Group:
        """Judges one group.

        Args:
            name: of the group.
            own: its items, `[items]`.
        """
        metrics: dict[str, GroupMetric | None] = {"accuracy": self._accuracy(own)}
        labels, decided = self.labels[own], self.decided[own]
        if len(np.unique(labels)) > 1:
            enough = len(labels) >= FEWEST
            for metric in (balanced_accuracy, macro_f1):
                value = GroupMetric(value=metric(labels, decided)) if enough else None
                metrics[metric.__name__] = value
        units = len(np.unique(self.units[own]))
        return Group(name=name, units=units, items=len(labels), metrics=metrics)

    def _accuracy(self, own: NDArray[np.bool_]) -> GroupMetric | None:
        labels, decided, units = self.labels[own], self.decided[own], self.units[own]
        if len(labels) < FEWEST:
            return None
        value, correct = accuracy(labels, decided), labels == decided
        if len(np.unique(units)) < FEWEST:
            return GroupMetric(value=value)
        interval = accuracy_interval(correct, units, resamples=self.resamples, seed=self.seed)
        return GroupMetric(value=value, low=interval.low, high=interval.high)
