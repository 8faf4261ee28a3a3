"""The settings of a sweep: values of recipe keys, in every combination."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from harness.errors import ConfigError

Setting = Mapping[str, Any]
"""Recipe keys, joined by points, with the value of each."""

MOST = 200
"""Settings of a sweep at most: of more, the best on validation says little."""


def parse_over(texts: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """Read every `--over KEY=V1,V2,...` of a call, the values as TOML would; bare words are text.

    Raises:
        ConfigError: there is none, one has no values, or a key or a value comes twice.

    >>> parse_over(["optimizer.lr=0.1,1e-2", "select=best,last"])
    {'optimizer.lr': (0.1, 0.01), 'select': ('best', 'last')}
    """
    found: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        key, _, values = text.partition("=")
        read = _values(values)
        if not key or not read:
            raise ConfigError(f"--over {text!r}: write KEY=V1,V2,..., as in optimizer.lr=0.1,0.01")
        if key in found:
            raise ConfigError(f"--over {key}: given twice; put all its values behind one --over")
        if any(value in read[:place] for place, value in enumerate(read)):
            raise ConfigError(f"--over {text!r}: a value comes twice; give each once")
        found[key] = tuple(read)
    if not found:
        raise ConfigError("give --over KEY=V1,V2,...: a recipe key and the values to try")
    return found


def grid(over: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the values, the last key's changing fastest.

    Raises:
        ConfigError: there is one alone, or more than `MOST`.

    >>> grid({"a": (1, 2), "b": (3,)})
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    settings = [dict(zip(over, values, strict=True)) for values in product(*over.values())]
    if not 1 < len(settings) <= MOST:
        raise ConfigError(f"--over: makes {len(settings)} settings; give 2 to {MOST}")
    return settings


def split_settings(settings: Sequence[Setting]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what tells settings apart, each's own, and what all of them share.

    >>> split_settings([{"a": 1, "b": 3}, {"a": 2, "b": 3}])
    ([{'a': 1}, {'a': 2}], {'b': 3})
    """
    first = settings[0]
    shared = {
        key: value for key, value in first.items() if all(each[key] == value for each in settings)
    }
    own = [{key: each[key] for key in each if key not in shared} for each in settings]
    return own, shared


def setting_name(setting: Setting) -> str:
    """Return a setting as people read it.

    >>> setting_name({"optimizer.lr": 0.1, "select": "best"})
    'optimizer.lr=0.1, select=best'
    """
    return ", ".join(f"{key}={value}" for key, value in setting.items())


def _values(text: str) -> list[Any]:
    try:
        return list(tomllib.loads(f"values = [{text}]")["values"])
    except (ValueError, RecursionError):
        return [_value(part.strip()) for part in text.split(",") if part.strip()]


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
