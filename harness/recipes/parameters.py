"""The parameters of a foreign recipe: each read as a type, or refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from harness.errors import ConfigError, quoted
from harness.records.documents import leaves

LARGEST = 1e9
"""No parameter of a recipe is larger; a product of several is still a number."""

NAME = re.compile(r"[A-Za-z_][\w.-]{0,199}", re.ASCII)

UNKNOWN = "unknown: this reader has never heard of it"


SPEEDS = [1.0, 0.9, 1.1]
"""Both projects' factors; each speaker at another speed is another class."""

SHAPES = {"exp": "exponential", "linear": "linear"}

OPTIMIZERS = {"SGD": "sgd", "Adam": "adam", "AdamW": "adamw"}


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
        """Take a value; `otherwise` if it is not given."""
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

    def number(self, key: str, otherwise: float | None = None) -> float:
        """Take a number; without `otherwise` it must be given.

        Raises:
            ConfigError: it is not given, or is none.
        """
        value = self.take(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{key}: a number must be given (found {quoted(value)})")
        if not abs(value) <= LARGEST:
            raise ConfigError(f"{key}: {value} is too large a number, or none")
        return value

    def divisor(self, key: str, otherwise: float | None = None) -> float:
        """Take a number above 0."""
        value = self.number(key, otherwise)
        if not value > 0:
            raise ConfigError(f"{key}: a number above 0 must be given (found {value:g})")
        return value

    def whole(self, key: str, otherwise: int | None = None) -> int:
        """Take a whole number, which may be written as `1e3`."""
        value = self.number(key, otherwise)
        if value != int(value):
            raise ConfigError(f"{key}: a whole number must be given (found {value:g})")
        return int(value)

    def flag(self, key: str, *, otherwise: bool = False) -> bool:
        """Take true or false; 1 and 0 may stand for them."""
        value = self.take(key, otherwise)
        if not isinstance(value, bool | int) or value not in (0, 1):
            raise ConfigError(f"{key}: true or false must be given (found {quoted(value)})")
        return bool(value)

    def name(self, key: str, otherwise: str | None = None) -> str:
        """Take a name, as classes, modules and methods have it."""
        value = self.take(key, otherwise)
        if not isinstance(value, str) or not NAME.fullmatch(value):
            raise ConfigError(f"{key}: a plain name must be given (found {quoted(value)})")
        return value

    def like(self, key: str, otherwise: Any) -> Any:
        """Take a value of the type of its default."""
        if isinstance(otherwise, bool):
            return self.flag(key, otherwise=otherwise)
        if isinstance(otherwise, str):
            return self.name(key, otherwise)
        return (self.whole if isinstance(otherwise, int) else self.number)(key, otherwise)

    def table(self, key: str) -> dict[str, Any]:
        """Take all values below a key; those that TOML cannot hold are left."""
        start = f"{key}."
        found: dict[str, Any] = {}
        for name in [name for name in self._values if name.startswith(start)]:
            value = self.take(name)
            if any(leaf is None for _, leaf in leaves(value)):
                self.refuse(name, "TOML has no null; the default is used")
                continue
            place, (*parents, last) = found, name.removeprefix(start).split(".")
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        return found

    def leave(self, pattern: str, why: str) -> None:
        """Record why parameters have no place; those that were taken already are left alone."""
        plain = pattern if pattern in self._values else None
        for key in [plain] if plain else [key for key in self._values if fnmatchcase(key, pattern)]:
            if key not in self._taken and key not in self._left:
                self._left[key] = NoPlace(key, self._values[key], why)

    def refuse(self, key: str, why: str) -> None:
        """Record why a parameter has no place though its value was read."""
        if key in self._values:
            self._taken.discard(key)
            self._left[key] = NoPlace(key, self._values[key], why)

    @property
    def keys_taken(self) -> tuple[str, ...]:
        """Keys that were taken, in the order of the file."""
        return tuple(key for key in self._values if key in self._taken)

    @property
    def left(self) -> tuple[NoPlace, ...]:
        """All other parameters, in the order of the file; unmentioned ones are `UNKNOWN`."""
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


def round_number(value: float) -> float:
    """Round to six digits, for files that people read."""
    return float(f"{value:.6g}")


def as_size(value: Any) -> Any:
    """Return a number of channels or the like: `8e1` is 80, which YAML holds as 80.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def optimizer(given: Parameters, key: str, name: str, args: str, lr: float) -> dict[str, Any]:
    """Return the table `optimizer` for torch's class and its arguments.

    Args:
        given: the recipe.
        key: key of the class.
        name: torch's class; SGD stands in for one that has no place.
        args: key of the arguments.
        lr: peak learning rate.
    """
    if name not in OPTIMIZERS:
        given.refuse(key, f"only {', '.join(OPTIMIZERS)} have a place; SGD stands in")
        name = "SGD"
    found: dict[str, Any] = {"name": OPTIMIZERS[name], "lr": round_number(lr)}
    found["weight_decay"] = given.number(f"{args}.weight_decay", 0.01 if name == "AdamW" else 0.0)
    if name == "SGD":
        found["momentum"] = given.number(f"{args}.momentum", 0.0)
        found["nesterov"] = given.flag(f"{args}.nesterov")
    given.leave(f"{args}.lr", "the learning-rate schedule sets it")
    given.leave(f"{args}.*", "torch's own value is used")
    return found


def cosine(
    given: Parameters, args: str, epochs: float, top: float | None = None, low: float | None = None
) -> dict[str, Any]:
    """Return the table `learning_rate`, and `lr`, for the WarmupCosineScheduler of both projects.

    Args:
        given: the recipe.
        args: key of the arguments.
        epochs: length of the training.
        top: peak rate if none is given; without it one must be given.
        low: lowest rate if none is given; without it one must be given.
    """
    top, low = given.divisor(f"{args}.max_lr", top), given.number(f"{args}.min_lr", low)
    if given.number(f"{args}.fix_epoch", epochs) != epochs:
        given.refuse(f"{args}.fix_epoch", "a cosine lasts until the end of training")
    warmup = given.number(f"{args}.warmup_epoch", 0) / epochs
    return {"lr": top, "shape": "cosine", "warmup": warmup, "final": low / top}


def margin_schedule(
    given: Parameters,
    args: str,
    epochs: float,
    margins: tuple[float, float],
    keys: tuple[str, str],
    first: int,
) -> dict[str, Any]:
    """Return the table `schedules` of a margin that rises; empty if it never changes.

    Args:
        given: the recipe.
        args: key of the schedule's arguments.
        epochs: length of the training.
        margins: before and after the rise.
        keys: of the epochs in which the rise begins and ends.
        first: number of the first epoch.
    """
    shape = given.name(f"{args}.increase_type", "exp")
    start, end = ((given.number(f"{args}.{key}", first) - first) / epochs for key in keys)
    initial, final = margins
    if initial == final:
        return {}
    found: dict[str, Any] = {"shape": SHAPES.get(shape, "linear")}
    found |= {"start": round_number(start), "end": round_number(end)}
    return {"margin": found | ({"initial_value": initial} if initial else {})}
