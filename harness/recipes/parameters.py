"""The parameters of a foreign recipe, and what became of each: taken, or named with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from harness.errors import ConfigError

UNKNOWN = "unknown: this reader has never heard of it"


@dataclass(frozen=True)
class NoPlace:
    """A parameter that says nothing here, and why."""

    key: str
    value: Any
    why: str


class Parameters:
    """Dotted key -> value, each accounted for once it was taken or left.

    A value `<name>` stands for the parameter of that name, as 3D-Speaker writes it.

    Args:
        document: the recipe as its file holds it.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._values = dict(_leaves(document))
        self._taken: set[str] = set()
        self._left: dict[str, NoPlace] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str, otherwise: Any = None) -> Any:
        """A value that is used; `otherwise` where nobody gives it."""
        if key not in self._values:
            return otherwise
        passed = set()
        target: str | None = key
        while target in self._values and target not in passed:
            passed.add(target)
            value = self._values[target]
            target = _reference(value)
        self._taken |= passed
        for each in passed:
            self._left.pop(each, None)
        return value

    def number(self, key: str) -> float:
        """A number that every recipe has.

        Raises:
            ConfigError: it is not given, or is none.
        """
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{key}: a number must be given (found {value!r})")
        return value

    def table(self, key: str) -> dict[str, Any]:
        """All that stands below a key, taken."""
        start = f"{key}."
        names = [name for name in self._values if name.startswith(start)]
        return {name.removeprefix(start): self.take(name) for name in names}

    def leave(self, pattern: str, why: str) -> None:
        """Say why parameters have no place; those that were taken already are let be."""
        for key, value in self._values.items():
            if fnmatchcase(key, pattern) and key not in self._taken | set(self._left):
                self._left[key] = NoPlace(key, value, why)

    def refuse(self, key: str, why: str) -> None:
        """Say why a parameter has no place though it was looked at."""
        if key in self._values:
            self._taken.discard(key)
            self._left[key] = NoPlace(key, self._values[key], why)

    @property
    def taken(self) -> tuple[str, ...]:
        """The keys that were used, in the order of the file."""
        return tuple(key for key in self._values if key in self._taken)

    @property
    def left(self) -> tuple[NoPlace, ...]:
        """All others, in the order of the file; what nobody spoke of is `UNKNOWN`."""
        others = ((key, value) for key, value in self._values.items() if key not in self._taken)
        return tuple(self._left.get(key) or NoPlace(key, value, UNKNOWN) for key, value in others)


def _leaves(document: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        place = f"{where}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{place}.")
        else:
            yield place, value


def _reference(value: Any) -> str | None:
    match = re.fullmatch(r"<([A-Za-z]\w*)>", value) if isinstance(value, str) else None
    return match[1] if match else None
