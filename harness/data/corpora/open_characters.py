"""The bundled corpus `open-characters`: 26 characters drawn by many artists, from seeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import Pixels, Uncompared
from harness.data.synthesis import characters


@dataclass(frozen=True)
class OpenCharacters(Uncompared):
    """The character is the class, the artist the resampling unit; each artist is in one split."""

    version: ClassVar[int] = 3
    kind: ClassVar[str] = "image"
    colour: ClassVar[bool] = True
    needs_folder: ClassVar[bool] = False
    unit: ClassVar[str] = "artist"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return the profile's pictures, an artist's together."""
        del folder
        table = characters.pictures(profile)
        items = table.rename(columns={"artist": "unit", "character": "label"})
        return items.assign(seconds=0.0, line=0)

    def read(self, item: Any, folder: Path) -> Pixels:
        """Draw one picture, `[side, side, 3]`."""
        del folder
        return characters.draw(item.source)
