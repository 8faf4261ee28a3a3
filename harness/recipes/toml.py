"""A converted recipe as text for a benchmark file, and as one JSON document."""

from __future__ import annotations

import math
from typing import Any

from harness.config.toml_text import comment, document_text, value_text
from harness.recipes.converted import Converted

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
