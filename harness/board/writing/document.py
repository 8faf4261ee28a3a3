"""Tables as a JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.board.standing.budget import budgets, largest_training_batch, predicted_memory
from harness.board.standing.environments import costs, environments
from harness.board.standing.rows import Figure, Row
from harness.board.standing.table import Table
from harness.board.writing.efficiency import efficiency_document, six_digits
from harness.board.writing.footnotes import footnotes
from harness.board.writing.references import References
from harness.board.writing.referencetables import reference_document
from harness.records.record import MetricFacts, Record

SCHEMA = 1


def document(tables: Sequence[Table], references: References | None = None) -> dict[str, Any]:
    """Every table as plain JSON types, the document's schema number first.

    Rates are fractions; numbers hold six significant digits.

    Args:
        tables: mostly of one suite.
        references: what others have published; their groups on datasets of the tables' suites are
            told by dataset, whether or not there is a table of it.
    """
    content: dict[str, Any] = {"tables": [_table(table) for table in tables]}
    if references is not None:
        content["published_elsewhere"] = _elsewhere(tables, references)
    return {"schema": SCHEMA, **_rounded(content)}


def document_text(tables: Sequence[Table], references: References | None = None) -> str:
    """The document as text, in its own order of keys."""
    content = document(tables, references)
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _elsewhere(tables: Sequence[Table], references: References) -> list[dict[str, Any]]:
    """Every group of published figures of the tables' suites, each once."""
    suites = dict.fromkeys(table.protocol.suite for table in tables)
    groups = {group.dataset: group for suite in suites for group in references.of(suite)}
    return [reference_document(group) for group in groups.values()]


def _table(table: Table) -> dict[str, Any]:
    """A table: what its rows share, the rows, the footnotes."""
    protocol = table.protocol
    rules = protocol.model_dump(mode="json", exclude={"facts", "suite", "suite_title", "profile"})
    ranking = table.ranking
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
        "environments": environments(table.rows),
        "memory_budgets": budgets(table.rows),
        "superseded": table.superseded,
        "rows": _rows(table),
        "efficiency": efficiency_document(table),
        "footnotes": footnotes(table),
    }


def _rows(table: Table) -> list[dict[str, Any]]:
    where = environments(table.rows)
    named = zip(table.rows, table.labels, table.ranking.ranks, strict=True)
    return [
        {"rank": rank, "entry": name, **_row(row, table.facts, where)} for row, name, rank in named
    ]


def _row(row: Row, facts: Mapping[str, MetricFacts], where: Mapping[str, str]) -> dict[str, Any]:
    first = row.first
    figures = {name: figure for name in facts if (figure := row.figure(name))}
    here = {r.environment_digest for r in row.records} if row.done else set()
    return {
        "state": row.state,
        "reason": first.reason,
        "trust": row.trust,
        "submission": _submission(first),
        "model": first.model.name,
        "loss": first.loss.name if first.loss else None,
        "baseline": first.is_baseline,
        "recipe": first.recipe_name,
        "track": first.track,
        "seeds": [record.seed for record in row.results],
        "left_out": max(len(record.dataset.left_out) for record in row.records),
        "metrics": {name: _figure(figure) for name, figure in figures.items()},
        "parameters": first.resources.parameters,
        "macs": first.resources.macs,
        "predicted_training_memory": predicted_memory(row),
        "largest_training_batch": largest_training_batch(row),
        "costs": {digest: _costs(row, digest) for digest in where if digest in here},
        "records": [part.path for each in row.filed for part in each.files if part.path],
    }


def _submission(record: Record) -> dict[str, Any] | None:
    """Who made it where, without the files that were received."""
    given = record.submission
    return given.model_dump(mode="json", exclude={"files"}) if given else None


def _figure(figure: Figure) -> dict[str, Any]:
    return dict(vars(figure))


def _costs(row: Row, digest: str) -> dict[str, Any]:
    spent = costs(row, digest)
    memory = spent.memory.model_dump() if spent.memory else None
    return {
        "training_memory": memory,
        "training_per_second": spent.training_per_second,
        "inference_per_second": spent.inference_per_second,
        "latency_p50": spent.latency_p50,
        "latency_p95": spent.latency_p95,
        "training_seconds": spent.training_seconds,
    }


def _rounded(content: Any) -> Any:
    """Six significant digits, so that the last bits of a platform's arithmetic do not show."""
    if isinstance(content, dict):
        return {str(key): _rounded(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_rounded(value) for value in content]
    if isinstance(content, float):
        return six_digits(content)
    return content
