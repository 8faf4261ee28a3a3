"""A layout of one's own: one folder of files that are named SPEAKER_SESSION_NUMBER.wav."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.corpus import Uncompared
from harness.errors import DataError

NAME = re.compile(r"(?P<speaker>[^_]+)_(?P<session>[^_]+)_\d+")


@dataclass(frozen=True, kw_only=True)
class FlatFolder(Uncompared):
    """Sounds whose names tell speaker and session; trials are drawn by the benchmark.

    Attributes:
        convert: resample to 16 kHz and mix down, instead of calling other files damaged.
    """

    convert: bool = False

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return one row for each file; those of a speaker stand together.

        Raises:
            DataError: there is no file, or a name does not tell its speaker.
        """
        del profile
        paths = sorted(folder.glob("*.wav"))
        if not paths:
            raise DataError(f"{folder}: holds no .wav file")
        return pd.DataFrame([_row(path) for path in paths])

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Return one file's samples, int16 `[samples]` at 16 kHz.

        Raises:
            DamagedItem: the file cannot be read.
        """
        return read_audio(folder / item.source, convert=self.convert)


def _row(path: Path) -> dict[str, Any]:
    """One row of the item table; `seconds` of 0 says that the lists do not tell the length."""
    name = NAME.fullmatch(path.stem)
    if name is None:
        raise DataError(f"{path}: name files SPEAKER_SESSION_NUMBER.wav")
    return {
        "id": path.stem,
        "unit": name["speaker"],
        "label": name["speaker"],
        "seconds": 0.0,
        "source": path.name,
        "line": 0,
        "split": "",
        "session": name["session"],
    }
