"""A Hugging Face data set on disk, as `save_to_disk` writes it.

Rows are taken from its tables; the library decodes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from harness.data.audio import read_audio
from harness.data.corpus import Samples
from harness.data.reading.audio_corpus import SpeechCorpus, import_library, own_splits
from harness.data.reading.item_table import ListedUtterance, value_or_blank
from harness.data.reading.sources import Root
from harness.errors import DataError, nearest

STATE = "state.json"
"""Written anew whenever a data set is saved: it stands for the rows that hold their own sound."""

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError)
"""Errors that the library raises at files that it did not write."""

_WORDS = ("string", "large_string", "int", "uint", "bool")
"""Beginnings of the types whose values are kept as words."""


@dataclass(frozen=True, kw_only=True)
class HuggingFaceFolder(SpeechCorpus):
    """Rows of a saved `Dataset`, or of the splits of a `DatasetDict`.

    Columns of words and whole numbers are kept. No code of the data set runs, and nothing is
    fetched.

    Attributes:
        audio: the column with the sound: its bytes, or a path relative to the corpus's folder.
        speaker: the column with the speaker.
        id: the column with the utterance's id; the split and the row's number if it is empty.
        train, validation, test: the names of the splits. Without `validation` the benchmark
            holds training speakers out.
        own_split: keep the splits; else all rows are put together, and the benchmark splits them.
        allow_outside: paths may leave the corpus's folder.
    """

    audio: str = "audio"
    speaker: str = "speaker_id"
    id: str = ""
    train: str = "train"
    validation: str = "validation"
    test: str = "test"
    own_split: bool = True
    allow_outside: bool = False

    def entries(self, folder: Path) -> Iterable[ListedUtterance]:
        """Yield every row.

        Raises:
            ConfigError: the `datasets` library is not installed.
            DataError: the folder is no saved data set, a column or split is missing, a row has no
                speaker or no sound, or a path leaves the folder.
        """
        found = _load_saved(folder)
        root = Root(folder, self.allow_outside)
        if not isinstance(found, dict):
            yield from self._rows(root, "", found, "")
            return
        for name, split in self._splits(found, folder).items():
            yield from self._rows(root, name, found[name], split)

    def read(self, item: Any, folder: Path) -> Samples:
        """Decode one row's sound.

        Raises:
            DamagedItem: it cannot be decoded.
        """
        state, _, row = item.source.rpartition("#")
        if Path(state).name != STATE:
            return read_audio(folder / item.source, convert=self.convert)
        saved = (folder / state).stat().st_mtime_ns
        table = _keep_open((folder / state).parent, saved).data
        value = table.column(self.audio)[int(row)].as_py()
        content = value["bytes"] if isinstance(value, dict) else value
        return read_audio(BytesIO(content), convert=self.convert)

    def _splits(self, found: Mapping[str, Any], folder: Path) -> dict[str, str]:
        if not self.own_split:
            return dict.fromkeys(found, "")
        names = {"train": self.train, "validation": self.validation, "test": self.test}
        strange = sorted(found.keys() - set(names.values()))
        if strange:
            raise DataError(
                f"{folder}: {strange[0]!r} is none of the splits {', '.join(names.values())}; say "
                'which is which, as in `test = "eval"`, or `own_split = false` to have all rows '
                "split by the benchmark"
            )
        there = {split: name if name in found else "" for split, name in names.items()}
        return own_splits(there, str(folder))

    def _rows(self, root: Root, name: str, part: Any, split: str) -> Iterator[ListedUtterance]:
        where, prefix = str(root.folder / name), f"{name}/" if name else ""
        self._check_columns(part, where)
        columns = _words(part)
        speakers = columns[self.speaker]
        ids = columns[self.id] if self.id else [f"{prefix}{row:07d}" for row in range(len(part))]
        further = [column for column in columns if column not in (self.speaker, self.id)]
        for row, path in enumerate(_sound_paths(part, self.audio, where)):
            place = f"{where}: row {row}"
            for column, value in {self.speaker: speakers[row], self.id: ids[row]}.items():
                if not value_or_blank(value):
                    raise DataError(f"{place}: the {column} is unknown ({value!r})")
            source = root.source(path, place) if path else f"{prefix}{STATE}#{row}"
            facts = {column: columns[column][row] for column in further}
            yield ListedUtterance(ids[row], speakers[row], source, 0.0, row + 1, split, facts)

    def _check_columns(self, part: Any, where: str) -> None:
        words = _words(part.select(range(0)))
        for column in filter(None, (self.speaker, self.id)):
            if column not in words:
                raise DataError(
                    f"{where}: no column {column!r} of words or numbers; {nearest(column, words)}"
                )
        if self.audio not in part.column_names:
            near = nearest(self.audio, part.column_names)
            raise DataError(f"{where}: no column {self.audio!r} with sound; {near}")


def _load_saved(folder: Path) -> Any:
    """Open a saved data set: a `Dataset`, or a `DatasetDict`, which is a dict of them."""
    datasets = import_library("datasets", "huggingface")
    try:
        found = datasets.load_from_disk(str(folder))
        for part in found.values() if isinstance(found, dict) else [found]:
            part.data.validate(full=True)  # else damaged offsets are read as they stand
        return found
    except FileNotFoundError as error:
        raise DataError(
            f"{folder}: no data set that `save_to_disk` wrote, or a file of it is missing ({error})"
        ) from error
    except UNREADABLE as error:
        raise DataError(f"{folder}: the data set cannot be opened: {error}") from error


@lru_cache(maxsize=4)
def _keep_open(folder: Path, saved: int) -> Any:
    del saved  # a data set that was saved anew is another entry of the cache
    return _load_saved(folder)


def _sound_paths(part: Any, column: str, where: str) -> list[str]:
    """Return the path of each row's sound; empty for a row that holds its own."""
    contents, paths = _halves(part.data.column(column), f"{where}: the column {column!r}")
    for row, (empty, path) in enumerate(zip(contents, paths, strict=True)):
        if empty and not path:
            raise DataError(f"{where}: row {row}: has neither the bytes of a sound nor a path")
    return [path if empty else "" for empty, path in zip(contents, paths, strict=True)]


def _halves(column: Any, where: str) -> tuple[list[bool], list[str]]:
    """Return true for each row that lacks the sound's bytes, and each row's path."""
    import pyarrow.compute as pc
    from pyarrow import types

    kind, rows = column.type, len(column)
    if types.is_struct(kind) and {field.name for field in kind} >= {"bytes", "path"}:
        paths = pc.struct_field(column, "path").to_pylist()
        empty = pc.is_null(pc.struct_field(column, "bytes")).to_pylist()
        return empty, [path or "" for path in paths]
    if types.is_binary(kind) or types.is_large_binary(kind):
        return pc.is_null(column).to_pylist(), [""] * rows
    if types.is_string(kind) or types.is_large_string(kind):
        return [True] * rows, [path or "" for path in column.to_pylist()]
    raise DataError(f"{where} holds {kind}, neither the bytes of sound files nor paths")


def _words(part: Any) -> dict[str, list[str]]:
    """Return columns of words, whole numbers and classes as words; empty for unknown values."""
    found = {}
    for name, feature in part.features.items():
        if str(getattr(feature, "dtype", "")).startswith(_WORDS):
            names = getattr(feature, "names", None)
            found[name] = [_word(value, names) for value in part.data.column(name).to_pylist()]
    return found


def _word(value: Any, names: list[str] | None) -> str:
    if value is None or (names is not None and value < 0):
        return ""
    return str(value) if names is None or value >= len(names) else names[value]
