"""Records of older schemas, brought up to date one step at a time.

Published files are never rewritten: an old one is updated whenever it is read. A schema that says
more raises `record.SCHEMA` and adds the one step that leads to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import RequestError
from harness.records.documents import Document
from harness.records.record import SCHEMA


def updated(document: Any, where: str) -> Document:
    """A record's document as the newest schema has it; the one given stays as it is.

    Args:
        document: what the file holds.
        where: the file, for errors.

    Raises:
        RequestError: it has no schema, or one that this program does not know.
    """
    schema = document.get("schema") if isinstance(document, dict) else None
    # Told by type too: JSON's true is 1 to Python, and 1.0 is.
    if type(schema) is not int or schema not in (*UPDATES, SCHEMA):
        raise RequestError(f"{where}: {_refusal(schema)}")
    for step in range(schema, SCHEMA):
        document = UPDATES[step](document)
    return dict(document)


def _refusal(schema: Any) -> str:
    if type(schema) is int and schema > SCHEMA:
        return (
            f"record schema {schema} is newer than this program, which reads up to {SCHEMA}; "
            "update the program"
        )
    return f"record schema {schema!r} is unknown; this program reads 1 to {SCHEMA}"


def _to_2(document: Document) -> Document:
    """Schema 2 may say that an entry was submitted; no older record was."""
    return {**document, "schema": 2}


UPDATES: Mapping[int, Callable[[Document], Document]] = {1: _to_2}
"""Schema -> what makes of its documents those of the next."""
