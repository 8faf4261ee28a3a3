"""Published figures of others as a muted table, with the rules by which they were made."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from harness.board.standing.figures import UNKNOWN, heading
from harness.board.writing.grids import Cell, Column, Grid, TextPiece, cell, number_cell
from harness.board.writing.references import Publication, Reference, ReferenceGroup
from harness.records.record import MetricFacts

ELSEWHERE = "Published elsewhere: figures from publications, not measured here, protocols differ"
"""The heading of every such section."""

RULES = {
    "training": "Trained on",
    "augmentation": "Augmentation",
    "fine_tuning": "Fine-tuning with a large margin",
    "trials": "Trials",
    "enrolment": "Enrolment",
    "scoring": "Scoring",
}
"""Names of a source's rules on a page."""


def reference_grid(group: ReferenceGroup) -> Grid:
    """Return the figures in the order of the file, digit by digit as their sources print them.

    They are in no order of merit, as they were made by different rules.
    """
    rows = group.rows
    systems = tuple(cell(_system(row)) for _, _, row in rows)
    columns = [
        Column("toolkit", tuple(cell(source.toolkit) for _, source, _ in rows), numeric=False),
        Column("system", systems, numeric=False),
        *(
            Column(heading(facts), tuple(_figure(row, name, facts) for _, _, row in rows))
            for name, facts in group.metrics.items()
        ),
        Column("beyond plain scoring", tuple(cell(_beyond(row)) for *_, row in rows), False),
        Column("params (M)", tuple(_count(row.parameters, 6) for *_, row in rows)),
        Column("MACs (G)", tuple(_count(row.macs, 9) for *_, row in rows)),
        Column("source", tuple(_source(number, source) for number, source, _ in rows)),
    ]
    filled = tuple(
        column for column in columns if any(str(each) not in ("", UNKNOWN) for each in column.cells)
    )
    return Grid(filled, group.title, muted=True)


def reference_notes(group: ReferenceGroup) -> list[str]:
    """Return the sources of the figures, and the rules by which they were made."""
    told = [
        f"{number}: {_rules_text(source)}" for number, source in enumerate(group.sources, start=1)
    ]
    noted = [
        f"{source.toolkit}, {_system(row)}: {row.note}."
        for _, source, row in group.rows
        if row.note
    ]
    return [
        "Taken from what others publish, in no order and in no rank: rules, data and code differ "
        "from those of the tables here, and from each other.",
        *told,
        *noted,
    ]


def reference_document(group: ReferenceGroup) -> dict[str, Any]:
    """Return the figures as plain JSON types; rates are fractions."""
    return {
        "dataset": group.dataset,
        "title": group.title,
        "metrics": {name: facts.model_dump() for name, facts in group.metrics.items()},
        "sources": [_source_document(source) for source in group.sources],
    }


def _source_document(source: Publication) -> dict[str, Any]:
    told = {name: text for name, text in source.protocol.model_dump().items() if text}
    rows = [
        {**row.model_dump(), "metrics": {name: float(value) for name, value in row.metrics.items()}}
        for row in source.rows
    ]
    return {"toolkit": source.toolkit, "address": source.address, "protocol": told, "rows": rows}


def _system(row: Reference) -> str:
    return f"{row.system} + {row.loss}" if row.loss else row.system


def _figure(row: Reference, name: str, facts: MetricFacts) -> Cell:
    value = row.metrics.get(name)
    if value is None:
        return number_cell(None)
    return number_cell(float(value), f"{value.scaleb(2) if facts.unit == '%' else value:f}")


def _beyond(row: Reference) -> str:
    said = ["large margin"] * row.large_margin + [row.scoring] * bool(row.scoring)
    return ", ".join(said) or UNKNOWN


def _count(count: int | None, digits: int) -> Cell:
    """Return a count in millions or billions with the digits of its publication."""
    return number_cell(count, f"{Decimal(count or 0).scaleb(-digits).normalize():f}")


def _source(number: int, source: Publication) -> Cell:
    return Cell("", value=str(number), links=(TextPiece(str(number), source.address),))


def _rules_text(source: Publication) -> str:
    """Return the place of a source and its rules, a sentence each."""
    told = source.protocol.model_dump()
    rules = [f"{title}: {told[name]}." for name, title in RULES.items() if told[name]]
    return " ".join([f"{source.toolkit}, {source.path} at {source.commit[:7]}.", *rules])
