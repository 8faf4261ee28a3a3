"""A foreign recipe in this project's tables: checked, followed by a fine-tuning, written."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from harness.config.imports import construct, explain
from harness.config.recipes import Recipe
from harness.config.toml_text import comment, document_text, value_text
from harness.errors import ConfigError, quoted
from harness.recipes.parameters import NoPlace

Table = dict[str, Any]

CHECKOUT = "adapters.upstream:"

SAME_RUN = (
    *("learning_rate", "batch", "micro_batch", "crop_seconds", "epochs", "checkpoints"),
    *("select", "average_last"),
)
"""Keys that a fine-tuning has under the same name."""


@dataclass(frozen=True)
class Converted:
    """What became of a foreign recipe.

    Attributes:
        project: whose it is.
        name: what its tables are called here.
        recipe: `[recipes.NAME]`.
        model: `[models.NAME]`; None where no adapter builds it.
        loss: `[losses.NAME]`; None where there is none like it.
        notes: what a reader must know of the values above.
        taken: the parameters that went into the tables.
        left: all others, with the reason of each.
    """

    project: str
    name: str
    recipe: Table
    model: Table | None
    loss: Table | None
    notes: tuple[str, ...]
    taken: tuple[str, ...]
    left: tuple[NoPlace, ...]

    @property
    def tables(self) -> Table:
        """The tables of a benchmark file."""
        given = (("models", self.model), ("losses", self.loss), ("recipes", self.recipe))
        return {section: {self.name: table} for section, table in given if table is not None}

    @property
    def checked(self) -> Recipe:
        """The recipe as an object.

        Raises:
            ConfigError: its values cannot be meant together.
        """
        _check_finite(self.tables, ())
        try:
            document = json.dumps(self.recipe)
            return Recipe.model_validate_json(document, strict=True)
        except ValidationError as error:
            said = explain(error, f"recipes.{self.name}.", lambda _: list(Recipe.model_fields))
            raise ConfigError(f"{self.project}'s recipe makes none here: {said}") from error

    def check(self) -> None:
        """Hold all tables against what a benchmark file may say.

        Raises:
            ConfigError: a value has the wrong type, or is out of range.
        """
        _ = self.checked
        for section, table in (("models", self.model), ("losses", self.loss)):
            # A network of a checkout is built from the checkout, which need not be here.
            if table and not table["adapter"].startswith(CHECKOUT):
                fields = {key: value for key, value in table.items() if key != "adapter"}
                construct(table["adapter"], fields, f"{section}.{self.name}")


def followed_by(first: Converted, second: Converted) -> Converted:
    """The first recipe with the second as its fine-tuning.

    Raises:
        ConfigError: they are of two projects, or of two networks.
    """
    if first.project != second.project:
        raise ConfigError(
            f"a fine-tuning of {second.project} cannot follow a recipe of {first.project}"
        )
    if first.model != second.model:
        raise ConfigError(
            f"the fine-tuning is of another network ({quoted(second.model, 300)}) than the recipe "
            f"({quoted(first.model, 300)}); give the two files of one system"
        )
    stage = {key: second.recipe[key] for key in SAME_RUN if key in second.recipe}
    stage |= {"lr": second.recipe["optimizer"]["lr"], "schedules": _held(first, second)}
    stage |= _augment(first.recipe, second.recipe)
    return replace(
        first,
        recipe={
            **first.recipe,
            "fine_tune": {key: stage[key] for key in stage if stage[key] != {}},
        },
        notes=first.notes + tuple(f"fine_tune: {note}" for note in second.notes),
        taken=first.taken + tuple(f"fine_tune: {key}" for key in second.taken),
        left=first.left
        + tuple(replace(each, key=f"fine_tune: {each.key}") for each in second.left),
    )


def _check_finite(value: Any, place: tuple[str, ...]) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{'.'.join(place)}: {value} is no finite number")
    if isinstance(value, dict):
        for key, each in value.items():
            _check_finite(each, (*place, key))
    if isinstance(value, list):
        for each in value:
            _check_finite(each, place)


def _held(first: Converted, second: Converted) -> Table:
    """The head's values of the second training; it has the loss of the first."""
    before, after = first.loss or {}, second.loss or {}
    schedules: Table = dict(second.recipe.get("schedules", {}))
    for value in ("margin", "scale", "inter_margin"):
        if value in after and value not in schedules:
            driven = value in first.recipe.get("schedules", {})
            if driven or after[value] != before.get(value):
                schedules[value] = after[value]
    return schedules


def _augment(first: Table, second: Table) -> Table:
    """What a fine-tuning has of its own; without it, it has the first one's without speeds."""
    own, inherited = second.get("augment", {}), dict(first.get("augment", {}))
    inherited.pop("speeds", None)
    return {} if own == inherited else {"augment": own}


LONGEST = 200
"""Characters of a value that a comment shows."""


def as_toml(found: Converted) -> str:
    """The tables, with what has no place in them as comments before."""
    head = [f"{found.project}'s recipe as {found.name!r}: what its values rest on", *found.notes]
    if found.left:
        left = (f"  {each.key} = {_shown(each.value)}: {each.why}" for each in found.left)
        head += ["", "Parameters that have no place here:", *left]
    lines = [comment(line).rstrip() for line in head]
    return "\n".join(lines) + "\n\n" + document_text(found.tables)


def document(found: Converted) -> dict[str, Any]:
    """All of it as plain JSON types."""
    return {
        "schema": 1,
        "project": found.project,
        "name": found.name,
        **found.tables,
        "notes": list(found.notes),
        "taken": list(found.taken),
        "no_place": [
            {"key": each.key, "value": _plain(each.value), "why": each.why} for each in found.left
        ],
    }


def _shown(value: Any) -> str:
    """A value as TOML writes it, as far as a comment has room for it."""
    text = "null" if value is None else value_text(_without_null(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"


def _without_null(value: Any) -> Any:
    """TOML has no null; in a comment it is seen as text."""
    if isinstance(value, list):
        return [_without_null(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items()}
    return "null" if value is None else value


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: NaN and infinity become text."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
