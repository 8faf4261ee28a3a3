"""The name of a recipe as a call made it: the recipe, its budget, and settings of the call."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BUDGET = r" at (?P<budget>[\d,]+) crops"
_PARTS = re.compile(
    rf"(?P<recipe>.*?)(?:{_BUDGET})?(?: with (?P<changes>.+?))?"
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


def budget_name(crops: int) -> str:
    """Return the part of a recipe's name that tells its budget.

    >>> budget_name(4800)
    ' at 4,800 crops'
    """
    return f" at {crops:,} crops"


def named_budget(name: str | None) -> str:
    """Return that part of a recipe's name, whatever follows it; empty for its own length.

    >>> named_budget("matched at 4,800 crops extended by 2 epochs")
    ' at 4,800 crops'
    """
    found = re.search(rf"{_BUDGET}\b", name or "")
    return found[0] if found else ""


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
