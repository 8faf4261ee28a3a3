"""A manifest beside the sound files that it lists: TSV, CSV or JSON lines, told by its name.

It names at least `utt_id`, `speaker`, `path` and `duration_s`; `split` is taken where it is
there, and further columns (`gender`, `session`, `genre`, ...) are kept. Paths are relative to
the corpus's folder; `-` stands for unknown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.corpora.manifest_rows import Row, read_rows
from harness.data.names import strip_name
from harness.data.reading.columns import UNKNOWN, Entry, item_table, known
from harness.data.reading.own_trials import OwnLists
from harness.data.reading.paths import Root
from harness.data.split import SPLITS
from harness.errors import ConfigError, DataError, nearest

REQUIRED = ("utt_id", "speaker", "path", "duration_s")

OPTIONAL = ("duration_s", "split")
"""Columns that may be left away, as in `columns = { duration_s = "" }`."""


@dataclass(frozen=True, kw_only=True)
class SpeechManifest(OwnLists):
    """Utterances listed in a file.

    Attributes:
        label: the column that holds what is told apart; `speaker` for verification.
        file: name of the manifest in the corpus's folder; `.csv` and `.jsonl` files are what
            they are called, all others TSV.
        columns: column -> what the manifest calls it, as `{ path = "audio_filepath" }`;
            `{ duration_s = "" }` where it does not tell.
        convert: resample to 16 kHz and mix down, instead of calling other files damaged.
        allow_outside: whether paths may leave the folder.
    """

    label: str = "speaker"
    file: str = "manifest.tsv"
    columns: dict[str, str] = field(default_factory=dict)
    convert: bool = False
    allow_outside: bool = False

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Every row of the manifest, with its line number.

        The rows of a TSV manifest keep their order, on which locks rest; those of another one
        are brought together by speaker.

        Raises:
            DataError: a column is missing, a line is short, an id is empty or comes twice, a
                speaker or label is unknown, a duration is not a positive number, a split is
                none, or a path leaves the corpus's folder.
        """
        del profile
        path = folder / self.file
        columns = (*REQUIRED, self.label)
        required = [name for name in columns if self.columns.get(name) != ""]
        self._check_columns(columns)
        rows = read_rows(path, self.columns, required)
        _check_rows(rows, path)
        root = Root(folder, self.allow_outside)
        entries = [self._entry(row, root, f"{path}: line {row['line']}") for row in rows]
        if path.suffix in (".csv", ".jsonl"):
            entries.sort(key=lambda entry: entry.speaker)
        return item_table(entries)

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Decode one utterance.

        Raises:
            DamagedItem: the file is not what its line says.
        """
        return read_audio(folder / item.source, item.seconds or None, convert=self.convert)

    def _check_columns(self, columns: tuple[str, ...]) -> None:
        for name, theirs in self.columns.items():
            if not theirs and name in columns and name not in OPTIONAL:
                raise ConfigError(
                    f"columns.{name}: must not be empty; without {name} nothing can be compared"
                )

    def _entry(self, row: Row, root: Root, where: str) -> Entry:
        taken = (*REQUIRED, "split", "line")
        return Entry(
            id=_told(row, "utt_id", where),
            speaker=_told(row, "speaker", where),
            label=_told(row, self.label, where),
            source=root.source(row["path"], where),
            seconds=_seconds(row["duration_s"], where) if "duration_s" in row else 0.0,
            line=row["line"],
            split=_split(row.get("split", ""), where),
            further={name: value for name, value in row.items() if name not in taken},
        )


def _check_rows(rows: list[Row], path: Path) -> None:
    if not rows:
        raise DataError(f"{path}: lists no utterance")
    seen: dict[str, int] = {}
    for row in rows:
        where = f"{path}: line {row['line']}"
        if None in row or None in row.values():
            raise DataError(f"{where}: has not as many columns as the header line")
        if row["utt_id"] in seen:
            raise DataError(f"{where}: {row['utt_id']!r} stands in line {seen[row['utt_id']]} too")
        seen[row["utt_id"]] = row["line"]


def _told(row: Row, column: str, where: str) -> str:
    value: str = row[column]
    if value in UNKNOWN:
        raise DataError(f"{where}: the {column} is unknown ({value!r})")
    return value


def _seconds(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise DataError(f"{where}: duration_s is {text!r}, not a positive number")
    return seconds


def _split(word: str, where: str) -> str:
    text = known(strip_name(word))
    if not text:
        return ""
    if text not in SPLITS:
        raise DataError(
            f"{where}: the split is {text!r}; {nearest(text, SPLITS)} "
            '(`columns = { split = "" }` leaves the column away)'
        )
    return text
