"""How a test falls into groups, whatever is judged in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import COLUMNS
from harness.data.reading.item_table import UNKNOWN
from harness.records.details_schema import Breakdown, Group

Codes = NDArray[np.int64]

FEWEST = 5
"""A rate is told of at least so many targets and nontargets (or items), and an interval over at
least so many units."""

MOST = 40
"""Groups of one breakdown that are told; a column with more values is not broken down by."""

NOT_TOLD = "not told"
"""The group of trials and items of which the corpus does not say it."""

EDGES = (2.0, 5.0, 10.0)
BINS = ("under 2 s", "2 to 5 s", "5 to 10 s", "10 s and more", NOT_TOLD)


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of trials or of items.

    Attributes:
        title: what they are told apart by.
        rule: which trials or items are of a group, for readers.
        names: of the groups, in the order in which they are told.
        group: `[N]`, positions in `names`; -1 for what is of no group.
    """

    title: str
    rule: str
    names: tuple[str, ...]
    group: Codes

    @property
    def counts(self) -> Codes:
        """`[groups]`, how many are of each."""
        found: Codes = np.bincount(self.group[self.group >= 0], minlength=len(self.names))
        return found

    @property
    def says_something(self) -> bool:
        """Whether two groups at least hold anything."""
        return int(np.count_nonzero(self.counts)) > 1

    def broken_down(self, judged: Callable[[str, NDArray[np.bool_]], Group]) -> Breakdown:
        """Judges the groups that hold anything; of more than MOST the largest.

        Args:
            judged: makes a group of its name and of what is in it, `[N]`.
        """
        counts = self.counts
        largest = np.argsort(-counts, kind="stable")[: min(MOST, np.count_nonzero(counts))]
        groups = tuple(judged(self.names[index], self.group == index) for index in sorted(largest))
        untold = int(np.count_nonzero(counts)) - len(groups)
        return Breakdown(title=self.title, rule=self.rule, groups=groups, untold=untold)


def values(column: pd.Series[Any]) -> tuple[Codes, tuple[str, ...]]:
    """An item table's column as codes: `[items]`, and their names, sorted; -1 where it is not told.

    >>> values(pd.Series(["m", "", "f", "m"]))
    (array([ 1, -1,  0,  1]), ('f', 'm'))
    """
    told = column.where(~column.isin(UNKNOWN) & column.notna())
    codes, names = pd.factorize(told.map(str, na_action="ignore"), sort=True)
    return codes.astype(np.int64), tuple(str(name) for name in names)


def categories(items: pd.DataFrame, apart: Sequence[str] = ()) -> Iterator[str]:
    """The corpus's own columns that hold from 2 to MOST different values, without some."""
    for name in sorted(str(column) for column in items.columns):
        if name not in (*COLUMNS, *apart) and 2 <= len(values(items[name])[1]) <= MOST:
            yield name


def by_value(codes: Codes, names: tuple[str, ...], title: str, rule: str) -> Grouping:
    """A group a value, and one of what is not told."""
    return Grouping(title, rule, (*names, NOT_TOLD), np.where(codes < 0, len(names), codes))


def by_duration(seconds: NDArray[np.float64], rule: str) -> Grouping:
    """Bins of durations that begin at their lower edge; 0 stands for one that nobody tells."""
    bins = np.digitize(seconds, EDGES)
    return Grouping("duration", rule, BINS, np.where(seconds > 0, bins, len(BINS) - 1))
