"""Records for other places, held against what these publish of their formats."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import RequestError
from harness.metrics.intervals import jackknife_error
from harness.records.record import Record, Submission
from harness.records.record_files import read_record
from harness.use.every_eval_ever import Publisher, document, document_path, write_documents
from harness.use.hub_results import HubDataset, hub_files, parse_hub_datasets, write_hub_files
from tests.places import RECORDS

PUBLISHER = Publisher("Some Laboratory", "https://example.org")

FOLDERS = ("speaker/quick/speechocean762", "image/quick")
"""One of trials and one of classes."""


def first_record(folder: str) -> Record:
    paths = sorted((RECORDS / folder).rglob("*.json"))
    single = (path for path in paths if path.name.count(".") == 1)
    return next(
        record
        for record in map(read_record, single)
        if record.state == "done" and not record.is_baseline
    )


@pytest.fixture(scope="module", params=FOLDERS)
def record(request: pytest.FixtureRequest) -> Record:
    return first_record(request.param)


def check_object(
    found: dict[str, Any],
    required: dict[str, Callable[[Any], bool]],
    optional: dict[str, Callable[[Any], bool]],
) -> None:
    """What a JSON schema says of an object: keys that must be there, and of what kind each is."""
    assert required.keys() <= found.keys()
    assert found.keys() <= required.keys() | optional.keys()
    wrong = [key for key, value in found.items() if not {**required, **optional}[key](value)]
    assert wrong == []


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_bound(value: Any) -> bool:
    return value is None or is_number(value) or value in ("Infinity", "-Infinity")


def is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_text, value.values()))


def is_one_of(*names: str) -> Callable[[Any], bool]:
    return lambda value: value in names


def check_every_eval_ever(found: dict[str, Any]) -> None:
    """Version 0.3.0 of the published schema, eval.schema.json, as far as these documents go."""
    check_object(
        found,
        {
            "schema_version": is_one_of("0.3.0"), "evaluation_id": is_text,
            "retrieved_timestamp": lambda value: bool(re.fullmatch(r"\d+", value)),
            "source_metadata": bool, "model_info": bool, "eval_library": bool,
            "evaluation_results": lambda value: isinstance(value, list) and bool(value),
        },
        {"evaluation_timestamp": is_text},
    )  # fmt: skip
    check_object(
        found["source_metadata"],
        {
            "source_type": is_one_of("documentation", "evaluation_run"),
            "source_organization_name": is_text,
            "evaluator_relationship": is_one_of(
                "first_party", "third_party", "collaborative", "other"
            ),
        },
        {"source_name": is_text, "source_organization_url": is_text},
    )
    check_object(
        found["eval_library"],
        {"name": is_text, "version": is_text},
        {"additional_details": is_texts},
    )
    model = found["model_info"]
    check_object(
        model,
        {"name": is_text, "id": is_text, "additional_details": is_texts},
        {"developer": is_text},
    )
    told = model["additional_details"]
    assert told["deployment_type"] in ("self_deployed", "externally_managed", "unknown")
    assert told["model_availability"] in ("open_weights", "closed_weights", "unknown")
    for result in found["evaluation_results"]:
        check_result(result)


def check_result(result: dict[str, Any]) -> None:
    check_object(
        result,
        {"evaluation_name": is_text, "source_data": bool, "metric_config": bool,
         "score_details": bool},
        {"evaluation_result_id": is_text, "evaluation_timestamp": is_text},
    )  # fmt: skip
    source = result["source_data"]
    is_url = source["source_type"] == "url"
    addresses = {"url": lambda value: bool(value) and all(map(is_text, value))} if is_url else {}
    check_object(
        source,
        {"dataset_name": is_text, "source_type": is_one_of("url", "other"), **addresses},
        {"additional_details": is_texts},
    )
    check_object(
        result["metric_config"],
        {
            "lower_is_better": lambda value: isinstance(value, bool),
            "score_type": is_one_of("continuous"),
            "min_score": is_bound, "max_score": is_bound,
        },
        {
            "evaluation_description": is_text, "metric_id": is_text, "metric_name": is_text,
            "metric_unit": is_text,
            "metric_parameters": lambda value: not any(
                isinstance(each, dict | list) for each in value.values()
            ),
        },
    )  # fmt: skip
    check_object(
        result["score_details"], {"score": is_number}, {"details": is_texts, "uncertainty": bool}
    )
    for name, part in result["score_details"].get("uncertainty", {}).items():
        assert name in ("standard_error", "confidence_interval", "num_samples")
        if name == "standard_error":
            check_object(part, {"value": is_number}, {"method": is_text})
        if name == "confidence_interval":
            own = {"confidence_level": lambda value: 0 <= value <= 1, "method": is_text}
            check_object(part, {"lower": is_number, "upper": is_number}, own)
        if name == "num_samples":
            assert isinstance(part, int)


def test_documents_keep_to_the_schema_of_every_eval_ever(record: Record) -> None:
    found = json.loads(json.dumps(document(record, PUBLISHER), allow_nan=False))
    check_every_eval_ever(found)
    primary = record.protocol.primary
    result = next(
        each for each in found["evaluation_results"]
        if each["metric_config"]["metric_id"] == primary
    )  # fmt: skip
    metric, facts = record.metrics[primary], record.protocol.facts[primary]
    assert result["score_details"]["score"] == metric.value
    assert result["metric_config"]["lower_is_better"] is not facts.higher_is_better
    uncertainty = result["score_details"]["uncertainty"]
    assert uncertainty["confidence_interval"]["lower"] == metric.low
    left = list(record.left_one_out[primary].values())
    assert uncertainty["standard_error"]["value"] == pytest.approx(jackknife_error(left))
    assert uncertainty["num_samples"] == len(left)
    ended = datetime.fromtimestamp(int(found["retrieved_timestamp"])).astimezone()
    assert ended == datetime.fromisoformat(record.ended)


def test_a_record_has_one_place_of_the_published_shape(record: Record, tmp_path: Path) -> None:
    place = document_path(record, PUBLISHER)
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(rf"data/[^/]+/some-laboratory/[^/]+/{uuid}\.json", place)
    (written,) = write_documents([record], tmp_path, PUBLISHER)
    assert written == tmp_path / place
    assert write_documents([record], tmp_path, PUBLISHER) == [written]
    assert json.loads(written.read_text()) == document(record, PUBLISHER)
    other = record.model_copy(update={"seed": 99})
    assert document_path(other, PUBLISHER) != place


def test_who_judged_follows_from_trust() -> None:
    record = first_record(FOLDERS[0])
    given = Submission(submitter="Somebody Else", made_from="scores")
    changed = record.model_copy(update={"trust": "rescored", "submission": given})
    found = document(changed, PUBLISHER)
    check_every_eval_ever(found)
    assert found["source_metadata"]["evaluator_relationship"] == "third_party"
    assert found["model_info"]["developer"] == "Somebody Else"
    claimed = document(changed.model_copy(update={"trust": "claimed"}), PUBLISHER)
    assert claimed["source_metadata"]["source_type"] == "documentation"


def test_results_are_read_as_the_hub_reads_them(record: Record) -> None:
    hub = pytest.importorskip("huggingface_hub", minversion="1.4")
    name = record.dataset.fold.of if record.dataset.fold else record.dataset.name
    files = hub_files(record, {name: HubDataset("me/data", "trials")}, "https://example.org/board")
    (entry,) = yaml.safe_load(files[".eval_results/trialboard.yaml"])
    check_object(
        entry,
        {"dataset": bool, "value": is_number},
        {"date": is_text, "source": bool, "notes": is_text},
    )
    (read,) = hub.parse_eval_result_entries([entry])
    metric = record.metrics[record.protocol.primary]
    facts = record.protocol.facts[record.protocol.primary]
    assert (read.dataset_id, read.task_id) == ("me/data", "trials")
    assert read.value == pytest.approx(100 * metric.value, abs=0.5 * 10**-facts.decimals)
    assert read.source_url == "https://example.org/board"
    assert datetime.fromisoformat(read.date) == datetime.fromisoformat(record.ended)
    assert hub.eval_result_entries_to_yaml([read]) == [entry]
    card = hub.ModelCard(files["README.md"])
    results = card.data.eval_results
    assert {each.metric_type for each in results} == set(record.metrics) & set(
        record.protocol.facts
    )


def test_only_datasets_that_the_hub_has_are_named(tmp_path: Path) -> None:
    record = first_record(FOLDERS[0])
    with pytest.raises(RequestError, match="give --hub-dataset speechocean762=OWNER/NAME"):
        write_hub_files([record], tmp_path, {})
    assert not list(tmp_path.iterdir())
    claimed = record.model_copy(update={"trust": "claimed"})
    with pytest.raises(RequestError, match="only claimed"):
        hub_files(claimed, {"speechocean762": HubDataset("a/b")})
    for text in ("voices", "voices=me", "=me/voices", "voices=me/a b"):
        with pytest.raises(RequestError, match="write DATASET=OWNER/NAME"):
            parse_hub_datasets([text])
