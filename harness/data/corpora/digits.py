"""The bundled corpus `digits`: scikit-learn's copy of the UCI handwritten digits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.corpus import Pixels, Uncompared

FULL_SCALE = 16
"""The corpus's grey levels run from 0 to 16."""


@dataclass(frozen=True)
class Digits(Uncompared):
    """1,797 pictures of 8 x 8 pixels; the writers are not named, so each is its own unit."""

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "image"
    needs_folder: ClassVar[bool] = False
    unit: ClassVar[str] = "picture"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every picture; the split is left to the benchmark."""
        del profile, folder
        labels = _digits()[1]
        names = [f"digit{index:04d}" for index in range(len(labels))]
        table = pd.DataFrame({"id": names, "unit": names, "label": labels.astype(str)})
        return table.assign(seconds=0.0, source=names, line=0, split="")

    def read(self, item: Any, folder: Path) -> Pixels:
        """Return one picture, `[8, 8]`, black 0 to white 255."""
        del folder
        levels = _digits()[0][int(item.id.removeprefix("digit"))]
        return np.asarray(np.rint(levels * (255 / FULL_SCALE)), dtype=np.uint8)


@cache
def _digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images, bunch.target
