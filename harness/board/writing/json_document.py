"""Tables as a JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.board.standing.claims import table_claims
from harness.board.standing.costs import (
    SHOWN,
    budgets,
    cost_of,
    environments,
    fit_of,
    inference_prediction,
    largest_training_batch,
    memory_prediction,
)
from harness.board.standing.curve import TablesCurve
from harness.board.standing.curve_axes import curves_of
from harness.board.standing.figures import six_digits
from harness.board.standing.recipe_claims import recipe_claims
from harness.board.standing.rows import Row
from harness.board.standing.table import Table, table_key
from harness.board.writing.captions import footnotes
from harness.board.writing.efficiency import efficiency_document
from harness.board.writing.reference_tables import reference_document
from harness.board.writing.references import References
from harness.board.writing.summary import curve_summary
from harness.records.costs import Memory
from harness.records.record import MetricFacts

SCHEMA = 1

ALWAYS = (
    "training_memory",
    "training_per_second",
    "inference_per_second",
    "latency_p50",
    "latency_p95",
    "training_seconds",
)
"""Costs that every row of this schema has, null if it is not known; others stand if it is."""

OWN = ("parameters", "macs")
"""Costs that stand on their own, as every row of this schema has them."""


def document(
    tables: Sequence[Table],
    references: References | None = None,
    curves: Sequence[TablesCurve] = (),
) -> dict[str, Any]:
    """Return every table as plain JSON types, the document's schema number first.

    Rates are fractions; numbers hold six significant digits.

    Args:
        tables: mostly of one suite.
        references: published figures of others; their groups on datasets of the tables' suites
            are in it, whether or not there is a table of the dataset.
        curves: each is in the table that it stands above; by default those over budgets.
    """
    hosted = {table_key(curve.host): curve for curve in curves or curves_of(tables)}
    content: dict[str, Any] = {
        "tables": [_table(table, hosted.get(table_key(table))) for table in tables]
    }
    if references is not None:
        suites = dict.fromkeys(table.protocol.suite for table in tables)
        groups = {group.dataset: group for suite in suites for group in references.of(suite)}
        content["published_elsewhere"] = [reference_document(each) for each in groups.values()]
    return {"schema": SCHEMA, **_round(content)}


def document_text(tables: Sequence[Table], references: References | None = None) -> str:
    """Return the document as text, in its own order of keys."""
    content = document(tables, references)
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _table(table: Table, curve: TablesCurve | None) -> dict[str, Any]:
    """Return a table: the facts that its rows share, the rows, the footnotes."""
    protocol = table.protocol
    rules = protocol.model_dump(mode="json", exclude={"facts", "suite", "suite_title", "profile"})
    ranking, where = table.ranking, environments(table.rows)
    named = zip(table.rows, table.labels, ranking.ranks, strict=True)
    return {
        "suite": protocol.suite,
        "suite_title": protocol.suite_title,
        "profile": protocol.profile,
        "dataset": table.dataset.model_dump(mode="json", exclude={"left_out"}),
        "protocol": rules,
        **({"folds": table.folds} if table.folds else {}),
        "metrics": {name: facts.model_dump() for name, facts in table.facts.items()},
        "ranking": {
            "reason": ranking.reason,
            "units": ranking.units,
            "smallest_visible_difference": ranking.visible,
        },
        **_budget(table),
        **({"curve": curve_document(curve)} if curve else {}),
        "environments": where,
        "memory_budgets": budgets(table.rows),
        "superseded": table.superseded,
        "rows": [
            {"rank": rank, "entry": name, **_row(row, table.facts, where)}
            for row, name, rank in named
        ],
        **_claims(table),
        **_recipe_claims(table),
        "efficiency": efficiency_document(table),
        "footnotes": footnotes(table),
    }


def _claims(table: Table) -> dict[str, Any]:
    """Return what can be concluded of a table's losses; None stands for what is not known."""
    found = [
        {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in asdict(judged).items()
        }
        for judged in table_claims(table)
    ]
    return {"claims": found} if found else {}


def _recipe_claims(table: Table) -> dict[str, Any]:
    """Return what can be concluded of a table's recipes."""
    found = [asdict(judged) for judged in recipe_claims(table)]
    return {"recipe_claims": found} if found else {}


def _budget(table: Table) -> dict[str, Any]:
    """Return the budget of a table that is one of several, in crops."""
    return {"budget": table.budget, "budgets": list(table.budgets)} if table.is_point else {}


def curve_document(curve: TablesCurve) -> dict[str, Any]:
    """Return a curve as plain JSON types; rates are fractions, times seconds."""
    return {
        "summary": curve_summary(curve),
        "axis": curve.axis,
        "entries": [
            {
                "entry": line.entry,
                "baseline": line.is_baseline,
                "points": [
                    {
                        curve.axis: point.level,
                        **{key: getattr(point.figure, key) for key in ("value", "low", "high")},
                        "seeds": point.figure.seeds,
                        "rank": point.rank,
                        "training_seconds": point.seconds,
                    }
                    for point in line.points
                ],
            }
            for line in curve.lines
        ],
        "crossings": [asdict(crossing) for crossing in curve.crossings],
    }


def _row(row: Row, facts: Mapping[str, MetricFacts], where: Mapping[str, str]) -> dict[str, Any]:
    first = row.first
    given = first.submission
    sizes = {name: cost_of(row.records, name) for name in SHOWN if name not in OWN}
    return {
        "state": row.state,
        "reason": first.reason,
        "trust": row.shown_trust,
        "flag": row.flag or None,
        "submission": given.model_dump(mode="json", exclude={"files"}) if given else None,
        "model": first.model.name,
        "loss": first.loss.name if first.loss else None,
        "baseline": first.is_baseline,
        "recipe": first.recipe_name,
        "track": first.track,
        "seeds": [record.seed for record in row.results],
        "left_out": max(len(record.dataset.left_out) for record in row.records),
        "metrics": {name: dict(vars(row.figures[name])) for name in facts if name in row.figures},
        "parameters": first.resources.parameters,
        "macs": first.resources.macs,
        "predicted_training_memory": memory_prediction(row),
        "predicted_inference_memory": inference_prediction(row),
        "largest_training_batch": largest_training_batch(row),
        "recipe_batch": fit_of(row) or None,
        **{
            name: value
            for name, value in sizes.items()
            if value is not None and not SHOWN[name].per_environment
        },
        "costs": {digest: _costs(row.costs[digest]) for digest in where if digest in row.costs},
        "records": [part.path for each in row.filed for part in each.files if part.path],
    }


def _costs(spent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the costs of a row in one environment."""
    shown = {name: _plain(value) for name, value in spent.items() if name in SHOWN}
    return {**dict.fromkeys(ALWAYS), **shown}


def _plain(value: Any) -> Any:
    """Return a quantity as plain JSON types."""
    if isinstance(value, tuple):
        return [each.model_dump() for each in value]
    return value.model_dump() if isinstance(value, Memory) else value


def _round(content: Any) -> Any:
    """Keep six significant digits, without the last bits of a platform's arithmetic."""
    if isinstance(content, dict):
        return {str(key): _round(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_round(value) for value in content]
    if isinstance(content, float):
        return six_digits(content)
    return content
