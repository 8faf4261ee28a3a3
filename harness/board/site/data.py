"""What the page's program knows of a table, as plain JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.board.site.columns import Column, columns
from harness.board.site.curves import curves
from harness.board.site.groups import group_of
from harness.board.site.pairs import pairs
from harness.board.site.tradeoffs import trade_offs
from harness.board.standing.numbers import heading
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.text import one_line
from harness.board.writing.layout import failure
from harness.records.details_schema import Details
from harness.records.documents import digest

FACETS = ("model", "loss", "track", "recipe", "trust", "state")
NONE = "none"


def table_data(table: Table, details: Mapping[str, Details]) -> dict[str, Any]:
    """A table's columns, rows and what their comparison takes."""
    facts = table.facts[table.protocol.primary]
    return {
        "columns": [_column(each) for each in columns(table)],
        "rows": _rows(table),
        "facets": list(FACETS),
        "none": NONE,
        "primary": f"m.{table.protocol.primary}",
        "metric": {
            "title": one_line(facts.title),
            "heading": one_line(heading(facts)),
            "unit": facts.unit,
            "decimals": facts.decimals,
            "scale": 100 if facts.unit == "%" else 1,
            "higher": facts.higher_is_better,
        },
        "pairs": pairs(table),
        "tradeoffs": trade_offs(table),
        "det": curves(table, details),
    }


def row_keys(table: Table) -> list[str]:
    """Short names of rows for links: the same as long as a row keeps its name and seed."""
    return table.once("row keys", lambda: _row_keys(table))


def _row_keys(table: Table) -> list[str]:
    keys: dict[str, None] = {}
    for name, row in zip(table.labels, table.rows, strict=True):
        turn, key = 0, ""
        while not key or key in keys:
            key, turn = digest([name, row.first.seed if not row.done else None, turn])[:6], turn + 1
        keys[key] = None
    return list(keys)


def _rows(table: Table) -> list[dict[str, Any]]:
    named = zip(row_keys(table), table.labels, table.rows, strict=True)
    return [
        {
            "key": key,
            "name": one_line(name),
            "group": group_of(row),
            "facets": [one_line(_facet(row, facet)) for facet in FACETS],
            "reason": "" if row.done else one_line(failure(row)),
        }
        for key, name, row in named
    ]


def _facet(row: Row, facet: str) -> str:
    record = row.first
    found = {
        "model": record.model.name,
        "loss": record.loss.name if record.loss else None,
        "track": record.track,
        "recipe": record.recipe_name,
        "trust": row.trust if row.done else None,
        "state": row.state,
    }
    return found[facet] or NONE


def _column(column: Column) -> dict[str, Any]:
    return {
        "key": column.key,
        "title": one_line(column.title),
        "numeric": column.numeric,
        "higher": column.higher_is_better,
        "compared": column.compared,
        "scale": column.scale,
        "decimals": column.decimals,
        "shown": column.shown,
        "values": [
            one_line(cell.value) if isinstance(cell.value, str) else cell.value
            for cell in column.cells
        ],
    }
