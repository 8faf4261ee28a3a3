"""A record in the format of Every Eval Ever: one JSON document a record.

The schema is version 0.3.0 of https://github.com/evaleval/every_eval_ever
(`every_eval_ever/schemas/eval.schema.json`), whose files lie at
`data/BENCHMARK/DEVELOPER/MODEL/UUID.json`. Additional details are texts alone there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from harness.board.record_paths import slug
from harness.errors import RequestError
from harness.metrics.intervals import jackknife_error
from harness.records.documents import digest, readable_json
from harness.records.files import write_text
from harness.records.record import Metric, MetricFacts, Record
from harness.records.record_files import to_document

SCHEMA: Final = "0.3.0"
LIBRARY = "trialboard"

RELATIONS = {
    "measured": "first_party",
    "reproduced": "first_party",
    "rescored": "third_party",
    "claimed": "other",
}
"""Trust of a record -> who judged: whoever trained it, or somebody else."""


@dataclass(frozen=True)
class Publisher:
    """Who gives the results.

    Attributes:
        name: of the organisation; the developer of models that were trained here.
        url: its address; may be empty.
    """

    name: str
    url: str = ""


def document(record: Record, publisher: Publisher) -> dict[str, Any]:
    """Return a record as the schema has it; rates stay fractions.

    Args:
        record: with results.
        publisher: who gives it.

    Raises:
        RequestError: it has no result, or says not when it was made.
    """
    if record.state != "done":
        raise RequestError(f"{record.entry}: it is {record.state} and has no result")
    if not record.ended:
        raise RequestError(f"{record.entry}: its record does not say when it was made")
    made = str(int(datetime.fromisoformat(record.ended).astimezone(UTC).timestamp()))
    protocol, model = record.protocol, _model(record, publisher)
    known = [name for name in protocol.facts if name in record.metrics]
    url = {"source_organization_url": publisher.url} if publisher.url else {}
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{protocol.suite}-{record.dataset.name}/{model['id']}/{made}",
        "evaluation_timestamp": record.ended,
        "retrieved_timestamp": made,
        "source_metadata": {
            "source_name": protocol.suite_title or protocol.suite,
            "source_type": "documentation" if record.trust == "claimed" else "evaluation_run",
            "source_organization_name": publisher.name,
            **url,
            "evaluator_relationship": RELATIONS[record.trust],
        },
        "eval_library": {
            "name": LIBRARY,
            "version": version(LIBRARY),
            "additional_details": {"code": record.code},
        },
        "model_info": model,
        "evaluation_results": [_result(record, name) for name in known],
    }


def document_path(record: Record, publisher: Publisher) -> str:
    """Return where a record's document belongs; the same record has the same place."""
    content = bytes.fromhex(digest(to_document(record)))[:16]
    names = (record.dataset.name, publisher.name, record.entry)
    place = "/".join(slug(name) for name in names)
    return f"data/{place}/{UUID(bytes=content, version=4)}.json"


def write_documents(records: Iterable[Record], folder: Path, publisher: Publisher) -> list[Path]:
    """Write the document of each record below a folder; none, if one cannot be made.

    Returns:
        The files.
    """
    made = {folder / document_path(each, publisher): document(each, publisher) for each in records}
    for path, content in made.items():
        write_text(path, readable_json(content))
    return list(made)


def _model(record: Record, publisher: Publisher) -> dict[str, Any]:
    given = record.submission
    is_ours, developer = given is None, given.submitter if given else publisher.name
    details = {
        "deployment_type": "self_deployed" if is_ours else "unknown",
        "model_availability": "unknown",
        "recipe": record.recipe_name,
        "track": record.track,
        "seed": record.seed,
        "adapter": record.model.adapter,
        "parameters": record.resources.parameters,
    }
    return {
        "name": record.entry,
        "id": f"{slug(developer or 'unknown')}/{slug(record.entry)}",
        **({"developer": developer} if developer else {}),
        "additional_details": _texts(details),
    }


def _result(record: Record, name: str) -> dict[str, Any]:
    protocol, facts, metric = record.protocol, record.protocol.facts[name], record.metrics[name]
    counts = record.dataset.counts["test"]
    details = {
        "trust": record.trust,
        "selected_on": record.selected_on,
        "configurations_tried": record.searched,
        "test_looks": record.test_looks,
        "notes": " | ".join(record.notes),
    }
    return {
        "evaluation_result_id": f"{protocol.suite}/{record.dataset.name}/{name}",
        "evaluation_name": f"{protocol.suite}, {protocol.profile}, protocol {protocol.version}",
        "source_data": _source(record),
        "evaluation_timestamp": record.ended,
        "metric_config": _metric_config(record, name, facts),
        "score_details": {
            "score": metric.value,
            "details": _texts(details),
            **_uncertainty(record, name, metric, counts.get("units")),
        },
    }


def _metric_config(record: Record, name: str, facts: MetricFacts) -> dict[str, Any]:
    is_rate = facts.unit == "%"
    parameters = {
        key: value
        for key, value in record.protocol.parameters.items()
        if value is None or isinstance(value, str | int | float | bool)
    }
    return {
        "evaluation_description": f"{facts.title} of {record.dataset.title or record.dataset.name}",
        "metric_id": name,
        "metric_name": facts.title,
        "metric_unit": "proportion" if is_rate else facts.unit or "none",
        "metric_parameters": parameters,
        "lower_is_better": not facts.higher_is_better,
        "score_type": "continuous",
        # A metric that is no rate has bounds that its record does not tell.
        "min_score": 0.0 if is_rate else None,
        "max_score": 1.0 if is_rate else None,
    }


def _uncertainty(record: Record, name: str, metric: Metric, units: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = record.left_one_out.get(name, {})
    if len(left) > 1:
        error = jackknife_error(list(left.values()))
        found["standard_error"] = {"value": error, "method": "jackknife"}
    if metric.low is not None and metric.high is not None:
        method = record.protocol.parameters.get("interval", "")
        found["confidence_interval"] = {
            "lower": metric.low,
            "upper": metric.high,
            "confidence_level": 0.95,
            **({"method": method} if isinstance(method, str) and method else {}),
        }
    if found and (count := len(left) or units):
        found["num_samples"] = count
    return {"uncertainty": found} if found else {}


def _source(record: Record) -> dict[str, Any]:
    data = record.dataset
    details = {
        "licence": data.licence,
        "synthetic": data.synthetic,
        "lock": data.lock,
        **{f"test_{name}": count for name, count in data.counts["test"].items()},
    }
    shared = {"dataset_name": data.title or data.name, "additional_details": _texts(details)}
    if data.source.startswith(("https://", "http://")):
        return {**shared, "source_type": "url", "url": [data.source]}
    return {**shared, "source_type": "other"}


def _texts(details: dict[str, Any]) -> dict[str, str]:
    """Return details as texts; those that are not known are left out."""
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in details.items()
        if value not in (None, "")
    }
