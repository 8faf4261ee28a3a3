"""Commands that a report tells: the call that made a run, and changes of it."""

from __future__ import annotations

import re
import shlex

from harness.records.recipe_name import read_recipe_name
from harness.records.record import Record

LENGTHS = ("epochs", "steps")


def run_command(record: Record, changed: dict[str, str] | None = None, *, data: str = "") -> str:
    """Return the call of `harness run` that makes a record's entry; empty if none does.

    What `harness extend` or an average of checkpoints made has another call.

    Args:
        record: of the entry.
        changed: keys of the recipe that are set otherwise than the run had them.
        data: another dataset than the record's.
    """
    named = read_recipe_name(record.recipe_name)
    if " " in named.recipe or named.extended or named.export:
        return ""
    settings, protocol = own_settings(record) | (changed or {}), record.protocol
    parts = ["harness run", f"--suite {protocol.suite}", f"--profile {protocol.profile}"]
    parts += [f"--dataset {data or record.dataset.name}", f"--model {record.model.name}"]
    parts += [f"--loss {record.loss.name}"] if record.loss else []
    parts += [f"--recipe {named.recipe}"] if named.recipe else []
    if named.budget and not settings.keys() & set(LENGTHS):
        parts.append(f"--budget {named.budget}")
    parts += [f"--set {shlex.quote(f'{key}={value}')}" for key, value in settings.items()]
    return " ".join(parts)


def own_settings(record: Record) -> dict[str, str]:
    """Return what the call of a run changed of its recipe, as its name tells: key -> value."""
    changes = read_recipe_name(record.recipe_name).changes
    pairs = (part.partition("=") for part in re.split(r", (?=[\w.-]+=)", changes) if part)
    as_toml = {"True": "true", "False": "false"}
    return {key: as_toml.get(value, value) for key, _, value in pairs}


def longer(record: Record) -> dict[str, str]:
    """Return the setting that trains a record's recipe twice as long; empty if it has no length."""
    recipe = record.recipe or {}
    key = next((name for name in LENGTHS if recipe.get(name) is not None), "")
    return {key: f"{2 * recipe[key]:.12g}"} if key else {}
