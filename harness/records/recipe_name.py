"""The name of a recipe as a call made it: with its budget, settings of the call, and more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PARTS = re.compile(
    r"(?P<recipe>.*?)(?: at (?P<budget>[\d,]+) crops)?(?: with (?P<changes>.+?))?"
    r"(?: (?P<extended>extended by .+?))?(?:, (?P<export>exported as .+))?",
    re.DOTALL,
)


@dataclass(frozen=True)
class RecipeName:
    """The parts of a recipe's name.

    Attributes:
        recipe: what the benchmark file calls it, or what stands in its place (an average).
        budget: crops that its training sees; None at its own length.
        changes: settings of the call, `KEY=VALUE, ...`; empty for none.
        extended: `extended by ...`, once for each time; empty for never.
        export: `exported as FILE`; empty where nothing was exported.
    """

    recipe: str
    budget: int | None = None
    changes: str = ""
    extended: str = ""
    export: str = ""

    @property
    def base(self) -> str:
        """The recipe with its budget."""
        return self.recipe + ("" if self.budget is None else f" at {self.budget:,} crops")


def read_recipe_name(name: str | None) -> RecipeName:
    """Take a recipe's name apart.

    >>> read_recipe_name("matched at 4,800 crops with batch=16")
    RecipeName(recipe='matched', budget=4800, changes='batch=16', extended='', export='')
    >>> read_recipe_name("letters extended by 2 epochs, exported as model.onnx").extended
    'extended by 2 epochs'
    """
    found = _PARTS.fullmatch(name or "")
    if found is None:  # Every text is a recipe at least.
        raise ValueError(f"not a recipe's name: {name!r}")
    parts = {key: value or "" for key, value in found.groupdict().items()}
    budget = parts.pop("budget").replace(",", "")
    return RecipeName(budget=int(budget) if budget else None, **parts)


def changed_name(name: str, settings: Mapping[str, object]) -> str:
    """Return the name of a recipe with what a call changed of it.

    >>> changed_name(RecipeName("matched", 4800).base, {"batch": 16})
    'matched at 4,800 crops with batch=16'
    """
    changes = ", ".join(f"{key}={value}" for key, value in sorted(settings.items()))
    return f"{name} with {changes}" if changes else name
