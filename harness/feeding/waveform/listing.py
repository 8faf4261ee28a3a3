"""Sound files below a folder, and the item table that a pack is made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pandas as pd

from harness.data.corpus import COLUMNS, Uncompared
from harness.errors import DataError

ENDINGS = frozenset({".wav", ".flac", ".ogg", ".mp3", ".opus"})


class Collection(Uncompared):
    """What all readers of noises and rooms have in common: sounds that nobody compares."""

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"

    @property
    def unit(self) -> str:
        """Every sound stands for itself."""
        return "sound"


def sound_files(folder: Path, wanted: Callable[[Path], bool] = lambda _: True) -> list[Path]:
    """Every sound file below a folder, relative to it, in an order that is the same everywhere.

    Args:
        folder: where to look.
        wanted: tells of a path relative to it whether it is meant.

    Raises:
        DataError: there is none.
    """
    every = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    found = sorted(filter(wanted, (path.relative_to(folder) for path in every)))
    if not found:
        raise DataError(
            f"{folder}: no sound files ({', '.join(sorted(ENDINGS))}) in it or below it; "
            "name the folder that was unpacked"
        )
    return found


def table(named: list[tuple[str, str]]) -> pd.DataFrame:
    """Items, each of a unit of its own, from names and labels."""
    names, labels = zip(*named, strict=True)
    columns = {"id": names, "unit": names, "label": labels, "seconds": 0.0, "source": names}
    return pd.DataFrame({**columns, "line": 0, "split": "train"})[list(COLUMNS)]
