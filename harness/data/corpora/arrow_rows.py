"""Rows of a saved Hugging Face data set, taken from its tables without decoding anything."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import ConfigError, DataError

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError)
"""What the library raises at files that it did not write."""

_WORDS = ("string", "large_string", "int", "uint", "bool")
"""How the types begin whose values are kept as words."""


def opened(folder: Path) -> Any:
    """Open a saved data set: a `Dataset`, or a `DatasetDict`, which is a dict of them.

    Raises:
        ConfigError: the `datasets` library is not installed.
        DataError: the folder holds no saved data set, or one that is broken.
    """
    datasets = _library()
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


def embedded(folder: Path, column: str, row: int) -> bytes:
    """The bytes of one row's sound file.

    Args:
        folder: of a `Dataset`.
        column: the one with the sound.
        row: counted from 0.
    """
    values = _kept_open(folder, (folder / "state.json").stat().st_mtime_ns).data.column(column)
    value = values[row].as_py()
    content: bytes = value["bytes"] if isinstance(value, dict) else value
    return content


def sound_paths(part: Any, column: str, where: str) -> list[str]:
    """Where each row's sound lies; nothing for a row that holds its own.

    Args:
        part: a `Dataset`.
        column: the one with the sound.
        where: the data set, for the error.

    Raises:
        DataError: a row has neither, or the column holds something else.
    """
    contents, paths = _halves(part.data.column(column), f"{where}: the column {column!r}")
    for row, (empty, path) in enumerate(zip(contents, paths, strict=True)):
        if empty and not path:
            raise DataError(f"{where}: row {row}: has neither the bytes of a sound nor a path")
    return [path if empty else "" for empty, path in zip(contents, paths, strict=True)]


def words(part: Any) -> dict[str, list[str]]:
    """The columns of words, whole numbers and classes, as words; empty where nothing is known."""
    found = {}
    for name, feature in part.features.items():
        if not str(getattr(feature, "dtype", "")).startswith(_WORDS):
            continue
        values = part.data.column(name).to_pylist()
        names = getattr(feature, "names", None)
        found[name] = [_word(value, names) for value in values]
    return found


def _word(value: Any, names: list[str] | None) -> str:
    if value is None or (names is not None and value < 0):
        return ""
    return str(value) if names is None or value >= len(names) else names[value]


def _halves(column: Any, where: str) -> tuple[list[bool], list[str]]:
    """Of each row: whether it lacks the sound's bytes, and its path."""
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


@lru_cache(maxsize=4)
def _kept_open(folder: Path, saved: int) -> Any:
    del saved  # a data set that was saved anew is another entry of the cache
    return opened(folder)


def _library() -> Any:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise ConfigError(
            "this layout is read by the library `datasets`, which is not installed: "
            "`pip install trialboard[huggingface]`"
        ) from error
    return datasets
