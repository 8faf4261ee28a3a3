"""The name of a recipe as a call made it: the recipe, its budget, and settings of the call."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PARTS = re.compile(
    r"(?P<recipe>.*?)(?: at (?P<budget>[\d,]+) crops)?(?: with (?P<changes>.+?))?"
    r"(?:, (?P<export>exported as .+))?",
    re.DOTALL,
)


@dataclass(frozen=True)
class RecipeName:
    """The parts of a recipe's name.

    Attributes:
        recipe: what the benchmark file calls it, or what was made of it (extended, averaged).
        budget: crops that its training sees; None at its own length.
        changes: settings of the call, `KEY=VALUE, ...`; empty for none.
        export: `exported as FILE`; empty where nothing was exported.
    """

    recipe: str
    budget: int | None = None
    changes: str = ""
    export: str = ""


def read_recipe_name(name: str) -> RecipeName:
    """Take a recipe's name apart.

    >>> read_recipe_name("matched at 4,800 crops with batch=16")
    RecipeName(recipe='matched', budget=4800, changes='batch=16', export='')
    >>> read_recipe_name("letters, exported as model.onnx")
    RecipeName(recipe='letters', budget=None, changes='', export='exported as model.onnx')
    """
    found = _PARTS.fullmatch(name)
    if found is None:
        return RecipeName(name)
    budget = found["budget"]
    crops = int(budget.replace(",", "")) if budget else None
    return RecipeName(found["recipe"], crops, found["changes"] or "", found["export"] or "")
