"""A frozen subset's table of the benchmark file: its text, and how it gets there."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from harness.config.tables import ConfigTable
from harness.config.toml_text import key_text, value_text
from harness.errors import ConfigError, PathError
from harness.records.files import lock, read_bytes, write_bytes


def table_text(name: str, keys: dict[str, Any]) -> str:
    """A dataset's table in TOML, rules as inline tables; keys without a value are left out.

    >>> print(table_text("a.1", {"of": "a", "trials": None}), end="")
    [datasets."a.1"]
    of = "a"
    """
    given = {key: value for key, value in keys.items() if value is not None}
    lines = [f"{key_text(key)} = {value_text(_plain(value))}\n" for key, value in given.items()]
    return f"[datasets.{key_text(name)}]\n" + "".join(lines)


def append_table(path: Path, text: str, lock_path: Path) -> bool:
    """Put a table at the end of a benchmark file; nothing else in it changes.

    Args:
        path: the file.
        text: the table.
        lock_path: what two processes that write beside the file wait for.

    Returns:
        False where the file may not be written.

    Raises:
        ConfigError: the file has such a table, or holds its datasets in a form that cannot be
            added to.
    """
    with lock(lock_path):
        before = read_bytes(path)
        gap = b"\n" if before.endswith(b"\n") else b"\n\n"
        after = before + gap + text.encode()
        _check(path, after, text)
        return _written(path, after)


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if isinstance(value, ConfigTable) else value


def _check(path: Path, after: bytes, text: str) -> None:
    try:
        tomllib.loads(after.decode())
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path}: a table cannot be added at its end ({error}); put it in by hand:\n{text}"
        ) from error


def _written(path: Path, content: bytes) -> bool:
    if not os.access(path, os.W_OK):
        return False
    try:
        write_bytes(path, content)
    except PathError:
        return False
    return True
