"""The space of a search: recipe keys with the values that each may have."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.errors import ConfigError
from harness.search.settings import parse_over

LOG = ":log"


@dataclass(frozen=True)
class ValueRange:
    """The numbers between two ends, whole ones if both ends are.

    Attributes:
        low, high: the ends, which are among them.
        is_log: True if equal ratios are equally likely, in place of equal differences.
    """

    low: float
    high: float
    is_log: bool = False

    @property
    def is_whole(self) -> bool:
        """True for whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class OneOf:
    """Some values, in no order."""

    values: tuple[Any, ...]


Space = dict[str, ValueRange | OneOf]
"""Recipe keys, joined by points, and what each may be."""


def parse_space(texts: Iterable[str]) -> Space:
    """Read every `--over KEY=LOW..HIGH`, `KEY=LOW..HIGH:log` or `KEY=V1,V2,...` of a call.

    Raises:
        ConfigError: there is none, a range is empty, or a key comes twice.

    >>> space = parse_space(["optimizer.lr=1e-4..1e-2:log", "batch=16..64", "select=best,last"])
    >>> space["optimizer.lr"], space["batch"].is_whole
    (ValueRange(low=0.0001, high=0.01, is_log=True), True)
    >>> space["select"]
    OneOf(values=('best', 'last'))
    """
    found: Space = {}
    for text in texts:
        key, _, values = text.partition("=")
        if key in found:
            raise ConfigError(f"--over {key}: given twice; give each key once")
        found[key] = _range(text, values) if ".." in values else OneOf(parse_over([text])[key])
    if not found:
        raise ConfigError(
            "give --over KEY=LOW..HIGH or KEY=V1,V2,...: a recipe key and what it may be"
        )
    return found


def grid_of(space: Space) -> dict[str, tuple[Any, ...]]:
    """Return the values of each key, for a search of every combination.

    Raises:
        ConfigError: a key has a range, which has no end of values.
    """
    for key, each in space.items():
        if isinstance(each, ValueRange):
            raise ConfigError(
                f"--over {key}: a grid has values and no ranges; give them one by one, as in "
                f"{key}={each.low:g},{each.high:g}, or take --method random or tpe"
            )
    return {key: each.values for key, each in space.items() if isinstance(each, OneOf)}


def _range(text: str, values: str) -> ValueRange:
    is_log = values.endswith(LOG)
    ends = values.removesuffix(LOG).split("..")
    try:
        low, high = (tomllib.loads(f"value = {end.strip()}")["value"] for end in ends)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"--over {text!r}: write KEY=LOW..HIGH, as in optimizer.lr=1e-4..1e-2:log"
        ) from error
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high))
    if not numbers or not low < high:
        raise ConfigError(f"--over {text!r}: the first end must be a number below the second")
    if is_log and low <= 0:
        raise ConfigError(f"--over {text!r}: a range in ratios begins above 0")
    return ValueRange(low, high, is_log)
