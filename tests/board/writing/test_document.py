"""The table as a JSON document."""

from __future__ import annotations

import json
from typing import Any

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.json_document import document_text
from harness.records.costs import Prediction, Resources
from harness.records.record import Metric, Record, Stage, Submission


def first(*records: Record) -> dict[str, Any]:
    """The document's first table."""
    made = tables(FiledRecord(record) for record in records)
    found: dict[str, Any] = json.loads(document_text(made))["tables"][0]
    return found


def test_the_schema_number_comes_first_and_rates_stay_fractions(several):
    text = document_text(tables(FiledRecord(record) for record in several))
    document = json.loads(text)
    assert next(iter(document)) == "schema"
    best = document["tables"][0]["rows"][0]
    assert best["metrics"]["eer"]["value"] == 0.0536
    assert document["tables"][0]["rows"][-1]["reason"].startswith("out of memory")


def test_numbers_hold_six_significant_digits(make):
    record = make(metrics={"eer": Metric(value=1 / 30, unit="%")}, left_one_out={})
    document = json.loads(document_text(tables([FiledRecord(record)])))
    assert document["tables"][0]["rows"][0]["metrics"]["eer"]["value"] == 0.0333333


def test_a_row_tells_what_is_predicted_for_the_budget_beside_what_was_measured(make):
    told = Prediction(parameters=1, inputs=1, temporaries=1, peak=3, reserved=2**31)
    held = Resources(
        training_prediction=told,
        largest_training_batch=56,
        latency_p50=0.0105,
        latency_p95=0.0203,
    )
    limit = {"measure": Stage(key="m", inputs={"memory_limit": 5 * 2**30})}
    table = first(make("a", resources=held, stages=limit), make("b"))
    assert table["memory_budgets"] == [5 * 2**30]
    row, other = sorted(table["rows"], key=lambda each: each["model"])
    assert (row["predicted_training_memory"], row["largest_training_batch"]) == (2**31, 56)
    assert [(each["latency_p50"], each["latency_p95"]) for each in row["costs"].values()] == [
        (0.0105, 0.0203)
    ]
    assert (other["predicted_training_memory"], other["largest_training_batch"]) == (None, None)


def test_a_row_tells_who_made_it_elsewhere(make):
    claim = Submission(made_from="claim", source="a paper", system="a net")
    rows = first(make("a"), make("b", trust="claimed", submission=claim))["rows"]
    assert [row["submission"] for row in rows] == [
        None,
        {"submitter": "", "source": "a paper", "system": "a net", "made_from": "claim"},
    ]
