"""A converted recipe as text for a benchmark file, and as one JSON document."""

from __future__ import annotations

import json
from typing import Any

import tomli_w

from harness.recipes.converted import Converted

WIDTH = 98
"""Columns of a comment."""


def as_toml(found: Converted) -> str:
    """The tables, with what has no place in them as comments before."""
    notes = [f"# {note}" for note in found.notes]
    left = [f"#   {each.key} = {_shown(each.value)}: {each.why}" for each in found.left]
    head = [f"# {found.project}'s recipe as {found.name!r}: what its values rest on", *notes]
    if left:
        head += ["#", "# Parameters that have no place here:", *left]
    return "\n".join(head) + "\n\n" + tomli_w.dumps(found.tables)


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
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value of YAML as JSON can hold it: its dates become text."""
    return json.loads(json.dumps(value, default=str))
