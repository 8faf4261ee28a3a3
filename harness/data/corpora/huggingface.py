"""A Hugging Face data set on disk, as `save_to_disk` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.corpora.arrow_rows import embedded, opened, sound_paths, words
from harness.data.reading.columns import SPEAKER, Entry, known, told_apart
from harness.data.reading.own_splits import own_splits
from harness.data.reading.own_trials import OwnLists
from harness.data.reading.paths import Root
from harness.errors import DataError, nearest

STATE = "state.json"
"""Written anew whenever a data set is saved: it stands for the rows that hold their own sound."""


@dataclass(frozen=True, kw_only=True)
class HuggingFaceFolder(OwnLists):
    """Rows of a saved `Dataset`, or of the splits of a `DatasetDict`.

    No code of the data set runs, and nothing is fetched.

    Attributes:
        audio: the column with the sound: its bytes, or a path relative to the corpus's folder.
        speaker: the column with the speaker.
        id: the column with the utterance's id; the split and the row's number where it is empty.
        label: what is told apart: the speaker, or another column.
        train, validation, test: what the splits are called. Without `validation` the benchmark
            holds training speakers out.
        own_split: whether the splits are kept; else all rows are put together, and the benchmark
            splits them.
        convert: resample to 16 kHz and mix down, instead of calling other sounds damaged.
        allow_outside: whether paths may leave the corpus's folder.
    """

    audio: str = "audio"
    speaker: str = "speaker_id"
    id: str = ""
    label: str = SPEAKER
    train: str = "train"
    validation: str = "validation"
    test: str = "test"
    own_split: bool = True
    convert: bool = True
    allow_outside: bool = False

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Every row, sorted by speaker and id; columns of words and whole numbers are kept.

        Raises:
            ConfigError: the `datasets` library is not installed.
            DataError: the folder is no saved data set, a column or split is missing, a row has no
                speaker or no sound, an id comes twice, or a path leaves the folder.
        """
        del profile
        found = opened(folder)
        root = Root(folder, self.allow_outside)
        if isinstance(found, dict):
            splits = self._splits(found, folder)
            parts = [(name, found[name], split) for name, split in splits.items()]
        else:
            parts = [("", found, "")]
        entries = [entry for part in parts for entry in self._entries(root, *part)]
        return told_apart(entries, self.label, str(folder))

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Decode one row's sound.

        Raises:
            DamagedItem: it cannot be decoded.
        """
        state, _, row = item.source.rpartition("#")
        if Path(state).name != STATE:
            return read_audio(folder / item.source, convert=self.convert)
        content = embedded((folder / state).parent, self.audio, int(row))
        return read_audio(BytesIO(content), convert=self.convert)

    def _splits(self, found: Mapping[str, Any], folder: Path) -> dict[str, str]:
        if not self.own_split:
            return dict.fromkeys(found, "")
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        strange = sorted(found.keys() - set(named.values()))
        if strange:
            raise DataError(
                f"{folder}: {strange[0]!r} is none of the splits {', '.join(named.values())}; say "
                'which is which, as in `test = "eval"`, or `own_split = false` to have all rows '
                "split by the benchmark"
            )
        there = {split: name if name in found else "" for split, name in named.items()}
        return own_splits(there, str(folder))

    def _entries(self, root: Root, name: str, part: Any, split: str) -> list[Entry]:
        where = str(root.folder / name)
        self._check_columns(part, where)
        columns = words(part)
        speakers = columns[self.speaker]
        ids = columns[self.id] if self.id else _numbered(name, len(part))
        told = [column for column in columns if column not in (self.speaker, self.id)]
        entries = []
        for row, path in enumerate(sound_paths(part, self.audio, where)):
            place = f"{where}: row {row}"
            _check_told({self.speaker: speakers[row], self.id: ids[row]}, place)
            source = root.source(path, place) if path else _row(name, row)
            further = {column: columns[column][row] for column in told}
            entries.append(
                Entry(ids[row], speakers[row], source, 0.0, row + 1, split, further=further)
            )
        return entries

    def _check_columns(self, part: Any, where: str) -> None:
        told = words(part.select(range(0)))
        for column in filter(None, (self.speaker, self.id)):
            if column not in told:
                raise DataError(
                    f"{where}: no column {column!r} of words or numbers; {nearest(column, told)}"
                )
        if self.audio not in part.column_names:
            near = nearest(self.audio, part.column_names)
            raise DataError(f"{where}: no column {self.audio!r} with sound; {near}")


def _numbered(name: str, rows: int) -> list[str]:
    return [f"{name}/{row:07d}" if name else f"{row:07d}" for row in range(rows)]


def _row(name: str, row: int) -> str:
    return f"{name}/{STATE}#{row}" if name else f"{STATE}#{row}"


def _check_told(values: Mapping[str, str], where: str) -> None:
    for column, value in values.items():
        if not known(value):
            raise DataError(f"{where}: the {column} is unknown ({value!r})")
