"""Drawn characters in Omniglot's layout: `characterNN/NNNN_DD.png`, DD being the drawer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import Pixels, Uncompared
from harness.data.picture import read_picture
from harness.errors import DataError

NAME = re.compile(r"\d+_(?P<drawer>\d+)\.png")


@dataclass(frozen=True)
class Drawings(Uncompared):
    """Characters drawn by several people; a drawer is never in two splits."""

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "image"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "drawer"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every drawing; the label is its folder.

        Raises:
            DataError: there is no drawing, or a file's name does not name its drawer.
        """
        del profile
        paths = sorted(folder.glob("character*/*.png"))
        if not paths:
            raise DataError(f"{folder}: holds no characterNN/NNNN_DD.png")
        return pd.DataFrame([_row(path, folder) for path in paths])

    def read(self, item: Any, folder: Path) -> Pixels:
        """Return one drawing, `[height, width]`, ink 255 on 0.

        Raises:
            DamagedItem: the file is not a picture, or is of one value throughout.
        """
        return 255 - read_picture(folder / item.source)


def _row(path: Path, folder: Path) -> dict[str, Any]:
    match = NAME.fullmatch(path.name)
    if match is None:
        raise DataError(f"{path}: the name does not tell the drawer; NNNN_DD.png is wanted")
    source = path.relative_to(folder).as_posix()
    facts = {"id": source.removesuffix(".png"), "unit": f"drawer{match['drawer']}"}
    rest = {"seconds": 0.0, "source": source, "line": 0, "split": ""}
    return {**facts, "label": path.parent.name, **rest}
