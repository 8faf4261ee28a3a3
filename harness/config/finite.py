"""Numbers of a benchmark file that TOML can spell and nothing can be computed with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from harness.errors import ConfigError


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
