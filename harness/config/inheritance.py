"""A dataset that stands on another one: the same corpus, cut or split in another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import ConfigError, nearest

OWN = ("split", "trials", "draw_trials", "join_seconds", "published", "frozen", "freeze")
"""Keys that say how a corpus is cut and compared: each dataset has its own, or none."""


def with_inherited(datasets: Any, path: Path) -> Any:
    """Datasets with the keys that `of` takes over from another one written out.

    Args:
        datasets: the section as the file has it; what is not a table is left to the schema.
        path: the benchmark file, for errors.

    Raises:
        ConfigError: the other one does not exist, or stands on a third.
    """
    if not isinstance(datasets, dict):
        return datasets
    return {name: _inherited(name, table, datasets, path) for name, table in datasets.items()}


def _inherited(name: str, table: Any, datasets: dict[str, Any], path: Path) -> Any:
    if not isinstance(table, dict) or not isinstance(table.get("of"), str):
        return table
    other = datasets.get(table["of"])
    where = f"{path}: datasets.{name}.of"
    if not isinstance(other, dict):
        mend = nearest(table["of"], datasets)
        raise ConfigError(f"{where}: no dataset is called {table['of']!r}; {mend}")
    if "of" in other:
        raise ConfigError(f"{where}: {table['of']!r} stands on {other['of']!r}; name that one")
    return {**{key: value for key, value in other.items() if key not in OWN}, **table}
