"""A frozen subset's table of the benchmark file: its text, and how it gets there."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from harness.config.tables import Table
from harness.errors import ConfigError, PathError
from harness.records.files import lock, read_bytes, write_bytes


def table_text(name: str, keys: dict[str, Any]) -> str:
    """A dataset's table in TOML, rules as inline tables; keys without a value are left out.

    >>> print(table_text("a.1", {"of": "a", "trials": None}), end="")
    [datasets."a.1"]
    of = "a"
    """
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
    lines = [f"{key} = {_value(value)}\n" for key, value in keys.items() if value is not None]
    return f"[datasets.{key}]\n" + "".join(lines)


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


def _value(value: Any) -> str:
    if isinstance(value, Table):
        given = value.model_dump(exclude_none=True).items()
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in given) + " }"
    return json.dumps(value)


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
