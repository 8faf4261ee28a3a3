"""Benchmark files as plain tables: read, laid on their bases, inherited keys written out."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import ConfigError, nearest, unreadable
from harness.records.documents import leaves

NAMED = ("datasets", "models", "losses", "recipes", "suites")
"""Sections whose tables have names."""

OWN = (
    "split", "trials", "draw_trials", "rank_pairs", "join_seconds", "published", "frozen", "freeze",
    "imbalance", "wrong_labels", "leak",
)  # fmt: skip
"""Keys that say how a corpus is cut and compared: each dataset has its own, or none."""

LENGTHS = ("steps", "epochs")
"""A recipe has one length: its own takes the place of either."""

Table = dict[str, Any]


def builtin_benchmark() -> Path:
    """Return the path of the benchmark file that comes with the harness."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "benchmark.toml"
    return checkout if checkout.exists() else package / "shipped" / "benchmark.toml"


def read_source(path: Path, wanted: str, most: int = -1) -> bytes:
    """Read a file that a user wrote.

    Args:
        path: the file.
        wanted: the file to name in place of a folder, for the error.
        most: bytes to read at most; all of them by default.

    Raises:
        ConfigError: it is absent, a folder, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: is a folder; name {wanted}") from error
    except OSError as error:
        raise ConfigError(unreadable(path, error)) from error


def merge_bases(path: Path, above: tuple[Path, ...] = ()) -> tuple[Table, list[Path]]:
    """Read a benchmark file and lay its tables on those of its bases.

    Args:
        path: the file.
        above: the files that it is a base of.

    Returns:
        The tables, and the files that they come from, the topmost first.

    Raises:
        ConfigError: a file cannot be read, is its own base, or changes a table of its base.
    """
    document = _read_toml(path)
    if path.resolve() in above:
        raise ConfigError(f"{path}: is its own base; a chain of bases must come to an end")
    check_finite(document, f"{path}: ")
    base = document.get("base")
    if not isinstance(base, str):
        return document, [path]
    lower = builtin_benchmark() if base == "trialboard" else path.parent / base
    below, files = merge_bases(lower, (*above, path.resolve()))
    for section in NAMED:
        own, given = document.get(section, {}), below.get(section, {})
        if not isinstance(own, dict) or not isinstance(given, dict):
            document[section] = given if isinstance(own, dict) else own
            continue
        taken = sorted(set(own) & set(given))
        if taken:
            raise ConfigError(
                f"{path}: {section}.{taken[0]} is defined by the base {base!r} already; "
                "a base's entries stay as they are, so choose another name"
            )
        document[section] = {**given, **own}
    if "budget" in document and document["budget"] != below.get("budget"):
        raise ConfigError(
            f"{path}: budget: the base {base!r} has its own, and its protocols rest on it; "
            "leave it as it is, or write a benchmark without a base"
        )
    if "budget" in below:
        document["budget"] = below["budget"]
    return document, [path, *files]


def _read_toml(path: Path) -> Table:
    content = read_source(path, "the benchmark file itself")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 brackets
        raise ConfigError(f"{path}: not TOML: {error}") from error


def check_finite(document: Mapping[str, Any], where: str) -> None:
    """Refuse infinities and NaN, which TOML can spell and nothing can be computed with.

    Args:
        document: tables, as TOML gives them.
        where: put before the key in the error.

    Raises:
        ConfigError: the first of them, by its key.

    >>> check_finite({"optimizer": {"lr": float("inf")}}, "benchmark.toml: ")
    Traceback (most recent call last):
    ...
    harness.errors.ConfigError: benchmark.toml: optimizer.lr: inf is no finite number
    """
    for key, value in leaves(document):
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{where}{key}: {value} is no finite number")


def write_out_inherited(section: str, tables: Any, path: Path) -> Any:
    """Return a section's tables with the keys of those that they are `of` written out.

    A dataset takes over all keys but `OWN`, a recipe all but the length if it has its own.

    Args:
        section: `datasets` or `recipes`.
        tables: the section as the file has it; any value that is no table is left to the schema.
        path: the benchmark file, for errors.

    Raises:
        ConfigError: the other table does not exist, or inherits from a third.
    """
    if not isinstance(tables, dict):
        return tables
    found = dict(tables)
    for name, table in tables.items():
        if not isinstance(table, dict) or not isinstance(table.get("of"), str):
            continue
        of, where = table["of"], f"{path}: {section}.{name}.of"
        other = tables.get(of)
        if not isinstance(other, dict):
            kind = section.removesuffix("s")
            raise ConfigError(f"{where}: no {kind} is called {of!r}; {nearest(of, tables)}")
        if "of" in other:
            raise ConfigError(f"{where}: {of!r} stands on {other['of']!r}; name that one")
        lengths = LENGTHS if any(length in table for length in LENGTHS) else ()
        gone = OWN if section == "datasets" else lengths
        found[name] = {key: value for key, value in other.items() if key not in gone} | table
        if section == "recipes":
            del found[name]["of"]
    return found
