"""A foreign recipe in this project's tables: checked, followed by a fine-tuning, written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.config.imports import construct
from harness.config.loader import check_table
from harness.config.merging import check_finite
from harness.config.recipes import Recipe
from harness.config.toml_text import comment, document_text, value_text
from harness.errors import ConfigError, quoted
from harness.recipes.parameters import NoPlace, Parameters

Table = dict[str, Any]

CHECKOUT = "adapters.upstream:"

SAME_RUN = (
    *("learning_rate", "batch", "micro_batch", "crop_seconds", "epochs", "checkpoints"),
    *("select", "average_last"),
)
"""Keys that a fine-tuning has under the same name."""


LONGEST = 200
"""Characters of a value that a comment shows."""


@dataclass(frozen=True)
class Converted:
    """The result of converting a foreign recipe.

    Attributes:
        project: whose it is.
        name: name of its tables here.
        recipe: `[recipes.NAME]`.
        model: `[models.NAME]`; None if no adapter builds it.
        loss: `[losses.NAME]`; None if there is none like it.
        notes: remarks on the values above.
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

    def check(self) -> Recipe:
        """Check all tables as those of a benchmark file, and return the recipe as an object.

        Raises:
            ConfigError: a value has the wrong type, or is out of range.
        """
        check_finite(self.tables, "")
        try:
            recipe = check_table(Recipe, self.recipe, f"recipes.{self.name}.")
        except ConfigError as error:
            raise ConfigError(f"{self.project}'s recipe makes none here: {error}") from error
        for section, table in (("models", self.model), ("losses", self.loss)):
            # A network of a checkout is built from the checkout, which need not be here.
            if table and not table["adapter"].startswith(CHECKOUT):
                fields = {key: value for key, value in table.items() if key != "adapter"}
                construct(table["adapter"], fields, f"{section}.{self.name}")
        return recipe


def collect_tables(
    project: str,
    name: str,
    tables: tuple[Table, Table | None, Table | None],
    notes: list[str],
    given: Parameters,
) -> Converted:
    """Return the conversion of a recipe whose parameters are all read.

    Args:
        project: whose it is.
        name: name of its tables.
        tables: recipe, model and loss; empty tables within the recipe are left out.
        notes: remarks on the values.
        given: the parameters.
    """
    recipe, model, loss = tables
    recipe = {key: value for key, value in recipe.items() if value != {}}
    return Converted(project, name, recipe, model, loss, tuple(notes), given.keys_taken, given.left)


def append_fine_tuning(first: Converted, second: Converted) -> Converted:
    """Return the first recipe with the second as its fine-tuning.

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
    stage |= {"lr": second.recipe["optimizer"]["lr"], "schedules": _head_schedules(first, second)}
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


def _head_schedules(first: Converted, second: Converted) -> Table:
    """Return the head's values of the second training, which has the loss of the first."""
    before, after = first.loss or {}, second.loss or {}
    schedules: Table = dict(second.recipe.get("schedules", {}))
    for value in ("margin", "scale", "inter_margin"):
        if value in after and value not in schedules:
            driven = value in first.recipe.get("schedules", {})
            if driven or after[value] != before.get(value):
                schedules[value] = after[value]
    return schedules


def _augment(first: Table, second: Table) -> Table:
    """Return a fine-tuning's own augmentation; none if it is the first one's without speeds."""
    own, inherited = second.get("augment", {}), dict(first.get("augment", {}))
    inherited.pop("speeds", None)
    return {} if own == inherited else {"augment": own}


def as_toml(found: Converted) -> str:
    """Return the tables as TOML; parameters without a place precede them as comments."""
    head = [f"{found.project}'s recipe as {found.name!r}: what its values rest on", *found.notes]
    if found.left:
        left = (f"  {each.key} = {_comment_value(each.value)}: {each.why}" for each in found.left)
        head += ["", "Parameters that have no place here:", *left]
    lines = [comment(line).rstrip() for line in head]
    return "\n".join(lines) + "\n\n" + document_text(found.tables)


def as_document(found: Converted) -> dict[str, Any]:
    """Return the conversion as plain JSON types; NaN and infinity become text."""
    return {
        "schema": 1,
        "project": found.project,
        "name": found.name,
        **found.tables,
        "notes": list(found.notes),
        "taken": list(found.taken),
        "no_place": [
            {"key": each.key, "value": _replace(each.value, _json_number), "why": each.why}
            for each in found.left
        ],
    }


def _comment_value(value: Any) -> str:
    """Return a value as TOML writes it, cut for a comment; text stands for TOML's absent null."""
    plain = _replace(value, lambda leaf: "null" if leaf is None else leaf)
    text = "null" if value is None else value_text(plain)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"


def _json_number(leaf: Any) -> Any:
    return str(leaf) if isinstance(leaf, float) and not math.isfinite(leaf) else leaf


def _replace(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a value with every plain value within its tables and lists changed."""
    if isinstance(value, list):
        return [_replace(each, change) for each in value]
    if isinstance(value, dict):
        return {key: _replace(each, change) for key, each in value.items()}
    return change(value)
