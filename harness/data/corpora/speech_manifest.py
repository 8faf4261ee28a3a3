"""A manifest beside the sound files that it lists: TSV, CSV or JSON lines, by its name.

It names at least `utt_id`, `speaker`, `path` and `duration_s`; `split` is taken if it is
there, and further columns (`gender`, `session`, `genre`, ...) are kept. Paths are relative to
the corpus's folder; `-` stands for unknown.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.corpus import Samples
from harness.data.item_names import strip_name
from harness.data.reading.audio_corpus import SpeechCorpus
from harness.data.reading.item_table import UNKNOWN, ListedUtterance, item_table, value_or_blank
from harness.data.reading.sources import Root
from harness.data.reading.text_lists import decode_text, read_json_line
from harness.data.split import SPLITS
from harness.errors import ConfigError, DataError, nearest

REQUIRED = ("utt_id", "speaker", "path", "duration_s")

OPTIONAL = ("duration_s", "split")
"""Columns that may be left away, as in `columns = { duration_s = "" }`."""

Row = dict[str, Any]
"""Column -> text, and `line` -> the row's number; a further field of a CSV file is under None."""


@dataclass(frozen=True, kw_only=True)
class SpeechManifest(SpeechCorpus):
    """Utterances listed in a file.

    Attributes:
        file: name of the manifest in the corpus's folder; `.csv` and `.jsonl` files are in these
            formats, all others TSV.
        columns: column -> its name in the manifest, as `{ path = "audio_filepath" }`;
            `{ duration_s = "" }` if it has none.
        allow_outside: paths may leave the folder.
    """

    file: str = "manifest.tsv"
    columns: dict[str, str] = field(default_factory=dict)
    allow_outside: bool = False

    def __repr__(self) -> str:
        """Return the fields, `convert` after the layout's own: keys of packs hold this text."""
        ordered = sorted(fields(self), key=lambda each: each.name in ("convert", "allow_outside"))
        values = (f"{each.name}={getattr(self, each.name)!r}" for each in ordered)
        return f"{type(self).__qualname__}({', '.join(values)})"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every row of the manifest, with its line number.

        The rows of a TSV manifest keep their order, on which locks rest; those of another one
        are brought together by speaker.

        Raises:
            ConfigError: a column that must be there is to be left away.
            DataError: a column is missing, a line is short, an id is empty or comes twice, a
                speaker or label is unknown, a duration is not a positive number, a split is
                none, or a path leaves the corpus's folder.
        """
        del profile
        entries = self.entries(folder)
        if Path(self.file).suffix in (".csv", ".jsonl"):
            entries.sort(key=lambda entry: entry.unit)
        return item_table(entries)

    def entries(self, folder: Path) -> list[ListedUtterance]:
        """Return every row, with the label."""
        columns = (*REQUIRED, self.label)
        for name, theirs in self.columns.items():
            if not theirs and name in columns and name not in OPTIONAL:
                raise ConfigError(
                    f"columns.{name}: must not be empty; without {name} nothing can be compared"
                )
        path = folder / self.file
        required = [name for name in columns if self.columns.get(name) != ""]
        rows = self._rows(path, [self.columns.get(name, name) for name in required])
        _check_rows(rows, path)
        root = Root(folder, self.allow_outside)
        return [self._entry(row, root, f"{path}: line {row['line']}") for row in rows]

    def read(self, item: Any, folder: Path) -> Samples:
        """Decode one utterance.

        Raises:
            DamagedItem: the file cannot be used, or differs from its line.
        """
        return read_audio(folder / item.source, item.seconds or None, convert=self.convert)

    def _rows(self, path: Path, required: list[str]) -> list[Row]:
        """Read the rows, their columns called by our names; `required` are the file's."""
        try:
            text = decode_text(path.read_bytes(), path)
        except OSError as error:
            raise DataError(f"{path}: no such manifest ({error.strerror})") from error
        rows = (_json_rows if path.suffix == ".jsonl" else _table_rows)(path, text, required)
        if not self.columns:
            return rows
        dropped = {*self.columns, *self.columns.values()}
        return [
            {name: value for name, value in row.items() if name not in dropped}
            | {ours: row.get(theirs, "") for ours, theirs in self.columns.items() if theirs}
            for row in rows
        ]

    def _entry(self, row: Row, root: Root, where: str) -> ListedUtterance:
        taken = (*REQUIRED, "split", "line")
        for column in ("utt_id", "speaker", self.label):
            if row[column] in UNKNOWN:
                raise DataError(f"{where}: the {column} is unknown ({row[column]!r})")
        return ListedUtterance(
            id=row["utt_id"],
            unit=row["speaker"],
            label=row[self.label],
            source=root.source(row["path"], where),
            seconds=_seconds(row["duration_s"], where) if "duration_s" in row else 0.0,
            line=row["line"],
            split=_split(row.get("split", ""), where),
            further={name: value for name, value in row.items() if name not in taken},
        )


def _table_rows(path: Path, text: str, required: Iterable[str]) -> list[Row]:
    comma = path.suffix == ".csv"
    reader: csv.DictReader[str] = csv.DictReader(
        StringIO(text, newline=""),
        delimiter="," if comma else "\t",
        # In a TSV manifest a quote is part of the text.
        quoting=csv.QUOTE_MINIMAL if comma else csv.QUOTE_NONE,
        strict=comma,
    )
    form = f"{'comma' if comma else 'tab'}-separated, with a header line"
    try:
        reader.fieldnames = [strip_name(name) for name in reader.fieldnames or []]
        _check_header(reader.fieldnames, required, f"{path}: line 1", form)
        return [{**row, "line": reader.line_num} for row in reader]
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.reader.line_num}: {error}") from error


def _json_rows(path: Path, text: str, required: Iterable[str]) -> list[Row]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        found = read_json_line(line, where)
        if not isinstance(found, dict):
            raise DataError(f"{where}: {found!r} is no JSON object; give one an utterance")
        _check_header(found, required, where, "one JSON object a line")
        words = {name: _json_word(value) for name, value in found.items()}
        rows.append({**words, "line": number})
    return rows


def _json_word(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _check_header(header: Any, columns: Iterable[str], where: str, form: str) -> None:
    for column in columns:
        if column not in header:
            raise DataError(f"{where} has no column {column!r}; {nearest(column, header)} ({form})")


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


def _seconds(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise DataError(f"{where}: duration_s is {text!r}, not a positive number")
    return seconds


def _split(word: str, where: str) -> str:
    text = value_or_blank(strip_name(word))
    if text and text not in SPLITS:
        raise DataError(
            f"{where}: the split is {text!r}; {nearest(text, SPLITS)} "
            '(`columns = { split = "" }` leaves the column away)'
        )
    return text
