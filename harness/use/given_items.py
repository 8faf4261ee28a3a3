"""Sounds or pictures that somebody gives, in the place of a dataset's split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.records.npz import read_arrays

MOST = 2**33
"""Bytes of items that are read back at most."""


@dataclass(frozen=True, eq=False)
class GivenItems:
    """Items and their names; what `harness.feeding.evaluation_batches.Items` asks for.

    Attributes:
        names: of each.
        contents: of each: int16 `[samples]` at 16 kHz, or uint8 `[height, width]`.
    """

    names: Sequence[str]
    contents: Sequence[NDArray[Any]]

    @cached_property
    def items(self) -> pd.DataFrame:
        """The table of items."""
        return pd.DataFrame({"id": list(self.names), "source": list(self.names)})

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.contents)

    def item(self, index: int) -> NDArray[Any]:
        """Return the content of one item."""
        return self.contents[index]

    def shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of one item."""
        return self.contents[index].shape

    def length(self, index: int) -> int:
        """Return the count of numbers in an item."""
        return math.prod(self.shape(index))

    def save(self, path: Path) -> None:
        """Write them, for another process."""
        arrays: dict[str, Any] = {str(place): each for place, each in enumerate(self.contents)}
        np.savez(path, names=np.array(self.names, dtype=str), **arrays)

    @classmethod
    def load(cls, path: Path) -> GivenItems:
        """Read what `save` wrote."""
        arrays = read_arrays(path, None, MOST)
        names = [str(name) for name in arrays["names"]]
        return cls(names, [arrays[str(place)] for place in range(len(names))])
