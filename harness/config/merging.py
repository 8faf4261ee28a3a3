"""Benchmark files as plain tables: read, laid on their bases, inherited keys written out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ConfigError, nearest


def check_finite(document: Mapping[str, Any], where: str) -> None:
    """Refuse infinities and NaN, wherever they stand.

    Args:
        document: tables, as TOML gives them.
        where: what stands before a key in the error.

    Raises:
        ConfigError: the first of them, by its key.

    >>> check_finite({"optimizer": {"lr": float("inf")}}, "benchmark.toml: ")
    Traceback (most recent call last):
    ...
    harness.errors.ConfigError: benchmark.toml: optimizer.lr: inf is no finite number
    """
    found = next(_endless(document, ""), None)
    if found is not None:
        key, value = found
        raise ConfigError(f"{where}{key}: {value} is no finite number")


def _endless(value: Any, key: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, float) and not math.isfinite(value):
        yield key, value
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in pairs:
            yield from _endless(inner, f"{key}.{name}" if key else str(name))


OWN = ("split", "trials", "draw_trials", "join_seconds", "published", "frozen", "freeze")
"""Keys that say how a corpus is cut and compared: each dataset has its own, or none."""

Table = dict[str, Any]

LENGTHS = ("steps", "epochs")
"""A recipe has one length: its own takes the place of either."""


def datasets_with_inherited(datasets: Any, path: Path) -> Any:
    """Datasets with the keys that `of` takes over from another one written out.

    Args:
        datasets: the section as the file has it; what is not a table is left to the schema.
        path: the benchmark file, for errors.

    Raises:
        ConfigError: the other one does not exist, or stands on a third.
    """

    def joined(other: Table, table: Table) -> Table:
        return {**{key: value for key, value in other.items() if key not in OWN}, **table}

    return _each(datasets, joined, "dataset", path)


def recipes_with_inherited(recipes: Any, path: Path) -> Any:
    """Recipes with the keys of the one that they are `of` written out, their own before those.

    Args:
        recipes: the section as the file has it; what is not a table is left to the schema.
        path: the benchmark file, for errors.

    Raises:
        ConfigError: the other one does not exist, or stands on a third.
    """

    def joined(other: Table, table: Table) -> Table:
        own = {key: value for key, value in table.items() if key != "of"}
        gone = LENGTHS if any(length in own for length in LENGTHS) else ()
        return {**{key: value for key, value in other.items() if key not in gone}, **own}

    return _each(recipes, joined, "recipe", path)


def _each(tables: Any, joined: Callable[[Table, Table], Table], what: str, path: Path) -> Any:
    if not isinstance(tables, dict):
        return tables
    return {
        name: joined(_other(name, table["of"], tables, what, path), table)
        if isinstance(table, dict) and isinstance(table.get("of"), str)
        else table
        for name, table in tables.items()
    }


def _other(name: str, of: str, tables: dict[str, Any], what: str, path: Path) -> Table:
    """The table that one stands on."""
    other, where = tables.get(of), f"{path}: {what}s.{name}.of"
    if not isinstance(other, dict):
        raise ConfigError(f"{where}: no {what} is called {of!r}; {nearest(of, tables)}")
    if "of" in other:
        raise ConfigError(f"{where}: {of!r} stands on {other['of']!r}; name that one")
    return other
