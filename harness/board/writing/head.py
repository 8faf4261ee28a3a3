"""What a table's head says: the data, the rules, the training, the machine."""

from __future__ import annotations

from typing import Any

from harness.board.standing.environments import environments
from harness.board.standing.numbers import counted
from harness.board.standing.table import Table
from harness.records.documents import canonical_json
from harness.records.record import Record


def title(table: Table) -> str:
    """The table's heading: dataset, profile, protocol version."""
    dataset, protocol = table.dataset, table.protocol
    synthetic = " (synthetic)" if dataset.synthetic else ""
    name = dataset.title or dataset.name
    return f"{name}{synthetic}, {protocol.profile} profile, protocol {protocol.version}"


def head(table: Table) -> list[tuple[str, str]]:
    """The head's lines, each a label and its text."""
    lines = [
        ("Data", _data(table)),
        ("Test", _test(table)),
        ("Protocol", _protocol(table)),
        ("Training", _training(table)),
        ("Speed and memory", _machine(table)),
    ]
    return [(label, text) for label, text in lines if text]


def _data(table: Table) -> str:
    dataset = table.dataset
    kind = "synthetic; " if dataset.synthetic else ""
    state = "lock" if dataset.pinned else "unpinned"
    return f"{kind}{dataset.name}, licence {dataset.licence}, {state} {dataset.lock[:12]}"


def _test(table: Table) -> str:
    """How much was tested, and what was resampled for the intervals."""
    unit, counts = table.dataset.unit, table.dataset.counts.get("test", {})
    nouns = {"units": unit, "items": "item", "trials": "trial", "targets": "target trial"}
    said = [counted(counts[key], noun) for key, noun in nouns.items() if key in counts]
    said += [counted(counts[key], key) for key in sorted(counts.keys() - nouns.keys())]
    said += [f"in {table.folds} folds"] if table.folds else []
    how = f"leave {unit}s out one at a time" if table.folds else f"resample {unit}s"
    return f"{', '.join(said) or 'counts not recorded'}; intervals {how}"


def _protocol(table: Table) -> str:
    protocol = table.protocol
    parameters = [f"{key} {_value(value)}" for key, value in sorted(protocol.parameters.items())]
    return ", ".join([f"version {protocol.version}", f"digest {protocol.digest[:12]}", *parameters])


def _training(table: Table) -> str:
    """Tracks, and each recipe's length and batch."""
    trained = [record for record in table.records if record.recipe is not None]
    tracks = sorted({record.track for record in trained})
    recipes = sorted({_recipe(record) for record in trained})
    return f"{' and '.join(tracks)} track; {'; '.join(recipes)}" if trained else ""


def _recipe(record: Record) -> str:
    recipe = record.recipe or {}
    said = [f"{_value(recipe[key])} {key}" for key in ("steps", "epochs") if recipe.get(key)]
    said += [f"batch {_value(recipe['batch'])}"] if "batch" in recipe else []
    return f"recipe {record.recipe_name or 'without a name'}: {', '.join(said) or 'length unknown'}"


def _machine(table: Table) -> str:
    where = environments(table.rows)
    if len(where) > 1:
        return f"measured in {len(where)} environments, so each has a table of its own below"
    return "".join(where.values())


def _value(value: Any) -> str:
    """A parameter as people write it: whole numbers without a point, text without quotes."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return canonical_json(value)
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
