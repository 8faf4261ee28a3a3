"""Rows of a file brought into the order of locked items, each exactly once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from harness.errors import RequestError
from harness.trials.text_lines import count_of, list_examples

Rows = NDArray[np.intp]


class Named:
    """The names of a file's rows.

    Args:
        ids: `[N]`.
        where: the file, for errors.

    Raises:
        RequestError: a name stands there twice.
    """

    def __init__(self, ids: NDArray[np.str_], where: str) -> None:
        self.where = where
        self._index = pd.Index(ids)
        again = self._index[self._index.duplicated()].unique()
        if len(again):
            told = list_examples([repr(str(name)) for name in again[:3]], len(again))
            raise RequestError(f"{where}: {count_of(len(again), 'id')} more than once: {told}")

    def check_known(self, items: Sequence[str], of: str) -> None:
        """Refuse names of no item of a dataset."""
        unknown = self._index[~self._index.isin(items)]
        if len(unknown):
            told = list_examples([repr(str(name)) for name in unknown[:3]], len(unknown))
            raise RequestError(
                f"{self.where}: {count_of(len(unknown), 'id')} of no item of {of}: {told}"
            )

    def rows(self, items: Sequence[str], split: str) -> Rows | None:
        """Where each item of a split stands, `[items]`; None where none of them is there.

        Raises:
            RequestError: some are there and some are not.
        """
        found = np.asarray(self._index.get_indexer(pd.Index(items)), dtype=np.intp)
        missing = np.flatnonzero(found < 0)
        if len(missing) == len(items):
            return None
        if missing.size:
            told = list_examples(
                [repr(items[place]) for place in missing[:3].tolist()], missing.size
            )
            raise RequestError(
                f"{self.where}: {missing.size:,} of {len(items):,} {split} items are not there: "
                f"{told}; give all of them"
            )
        return found


def check_finite(values: NDArray[np.float32], ids: Sequence[str], where: str) -> None:
    """Refuse rows, `[N, size]`, that hold NaN, or are infinite in float32."""
    _refuse(~np.isfinite(values).all(axis=1), ids, f"{where}: NaN or infinity")


def check_direction(values: NDArray[np.float32], ids: Sequence[str], where: str) -> None:
    """Refuse rows of zeros, `[N, size]`, which are like nothing."""
    _refuse(~values.any(axis=1), ids, f"{where}: zeros alone")


def _refuse(bad: ArrayLike, ids: Sequence[str], what: str) -> None:
    places = np.flatnonzero(bad)
    if places.size:
        told = list_examples([repr(ids[place]) for place in places[:3].tolist()], places.size)
        raise RequestError(f"{what} in {places.size:,} of {len(ids):,} rows: {told}")
