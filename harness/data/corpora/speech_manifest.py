"""A TSV manifest beside the sound files that it lists.

The header line names at least `utt_id`, `speaker`, `path` and `duration_s`; further columns
(`label`, ...) are kept. Paths are relative to the manifest; `-` stands for unknown.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.schema import Profile
from harness.data.audio import read_audio
from harness.errors import DataError, nearest

REQUIRED = ("utt_id", "speaker", "path", "duration_s")


@dataclass(frozen=True, kw_only=True)
class SpeechManifest:
    """Utterances listed in a TSV file.

    Attributes:
        label: the column that holds what is told apart; `speaker` for verification.
        file: name of the manifest in the corpus's folder.
    """

    label: str = "speaker"
    file: str = "manifest.tsv"

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Every line of the manifest, with its line number.

        Raises:
            DataError: a column is missing, a line is short, an id is empty or comes twice, a
                speaker or label is unknown, a duration is not a positive number, or a path
                leaves the corpus's folder.
        """
        del profile
        path = folder / self.file
        rows = _read_rows(path, (*REQUIRED, self.label))
        _check_rows(rows, path, self.label)
        return pd.DataFrame(
            {
                "id": [row["utt_id"] for row in rows],
                "unit": [row["speaker"] for row in rows],
                "label": [row[self.label] for row in rows],
                "seconds": [float(row["duration_s"]) for row in rows],
                "source": [row["path"] for row in rows],
                "line": [row["line"] for row in rows],
                "split": "",
            }
        )

    def trials(self, profile: Profile, split: str) -> None:
        """The layout brings no trial list."""

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Decode one utterance.

        Raises:
            DamagedItem: the file is not what its line says.
        """
        return read_audio(folder / item.source, item.seconds)


def _read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    reader = csv.DictReader(_text(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        _check_header(reader.fieldnames or [], columns, path)
        return [{**row, "line": reader.line_num} for row in reader]
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.reader.line_num}: {error}") from error


def _text(path: Path) -> StringIO:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: no such manifest ({error.strerror})") from error
    try:
        # Spreadsheet programs put a byte order mark first; it is no part of the first column.
        return StringIO(content.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        line = 1 + error.object[: error.start].count(b"\n")
        raise DataError(f"{path}: line {line} is not UTF-8 text ({error.reason})") from error


def _check_header(header: Any, columns: tuple[str, ...], path: Path) -> None:
    for column in columns:
        if column not in header:
            raise DataError(
                f"{path}: line 1 has no column {column!r}; {nearest(column, header)} "
                "(tab-separated, with a header line)"
            )


def _check_rows(rows: list[dict[str, Any]], path: Path, label: str) -> None:
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
        _check_values(row, label, where)


def _check_values(row: dict[str, Any], label: str, where: str) -> None:
    for column in ("utt_id", "speaker", label):
        if row[column] in ("", "-"):
            raise DataError(f"{where}: the {column} is unknown ({row[column]!r})")
    inside = Path("/corpus") / row["path"]
    if ".." in inside.parts or not str(inside).startswith("/corpus/"):
        raise DataError(f"{where}: {row['path']!r} leaves the corpus's folder")
    try:
        positive = 0 < float(row["duration_s"]) < math.inf
    except ValueError:
        positive = False
    if not positive:
        raise DataError(f"{where}: duration_s is {row['duration_s']!r}, not a positive number")
