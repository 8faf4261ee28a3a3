"""One split of a packed dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets.joining import joined_rows
from harness.datasets.pack import Pack


@dataclass(frozen=True)
class Subset:
    """One split of a packed dataset.

    Attributes:
        items: its rows of the item table, numbered from 0; of joined items, the first.
        rows: where each lies in the pack, `[items]`.
        after: one past the pack's last item that belongs to it, `[items]`.
        pack: the dataset's content.
    """

    items: pd.DataFrame
    rows: NDArray[np.int64]
    after: NDArray[np.int64]
    pack: Pack

    def __len__(self) -> int:
        return len(self.rows)

    def item(self, index: int) -> NDArray[Any]:
        """Content of one item."""
        return self._flat(index).reshape(self.shape(index))

    def shape(self, index: int) -> tuple[int, ...]:
        """The shape of one item."""
        if self.after[index] - self.rows[index] > 1:
            return (self.length(index),)
        return tuple(int(size) for size in self.pack.shapes[self.rows[index]])

    def length(self, index: int) -> int:
        """How many numbers an item holds (samples, for audio)."""
        return int(self.pack.offsets[self.after[index]] - self.pack.offsets[self.rows[index]])

    def span(self, index: int, start: int, count: int) -> NDArray[Any]:
        """`count` numbers of an item from `start`; short items are tiled."""
        item = self._flat(index)
        if len(item) < start + count:
            item = np.resize(item, start + count)
        return item[start : start + count]

    def joined(self, seconds: float) -> Subset:
        """The same sound in utterances of at least so many seconds (see `joined_rows`)."""
        lengths = self.pack.offsets[self.after] - self.pack.offsets[self.rows]
        first, after = joined_rows(self.items, self.rows, lengths, seconds)
        items = self.items.iloc[first].reset_index(drop=True)
        return Subset(items, self.rows[first], self.after[after - 1], self.pack)

    def _flat(self, index: int) -> NDArray[Any]:
        offsets = self.pack.offsets
        return self.pack.values[offsets[self.rows[index]] : offsets[self.after[index]]]
