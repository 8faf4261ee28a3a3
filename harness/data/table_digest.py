"""One hash for the content of a table, whatever the types of its columns."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd

CHUNK = 1 << 18
"""Rows spelled at once: some 30 MB of text."""

SPECIAL = ("\t", "\n", '"')
"""Characters that make a field need quotes."""


def table_digest(table: pd.DataFrame, columns: tuple[str, ...]) -> str:
    """Return the sha256 of some columns of a table, one tab-separated line a row.

    Floats are spelled with six decimals, so that the digest does not depend on their type; a field
    that holds a tab, a quote or a line feed is quoted as CSV files quote it.
    """
    hasher = hashlib.sha256()
    for start in range(0, len(table), CHUNK):
        rows = table.iloc[start : start + CHUNK]
        fields = [_fields(rows[column]) for column in columns]
        lines = map("\t".join, zip(*fields, strict=True))
        hasher.update("".join(f"{line}\n" for line in lines).encode())
    return hasher.hexdigest()


def _fields(column: pd.Series[Any]) -> list[str]:
    """Return a column's fields as text; each distinct value is spelled once."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    distinct = pd.Series(values)
    if pd.api.types.is_float_dtype(distinct):
        words = [f"{value:.6f}" for value in distinct.tolist()]
    else:
        words = [_quote(str(value)) for value in distinct.tolist()]
    fields: list[str] = np.array(words, dtype=object)[codes].tolist()
    return fields


def _quote(word: str) -> str:
    if not any(mark in word for mark in SPECIAL):
        return word
    return '"' + word.replace('"', '""') + '"'
