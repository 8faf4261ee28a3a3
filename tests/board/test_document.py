"""The table as a JSON document."""

from __future__ import annotations

import json

from harness.board.document import document_text
from harness.board.rows import Filed
from harness.board.table import tables
from harness.records.record import Metric


def test_the_schema_number_comes_first_and_rates_stay_fractions(several):
    text = document_text(tables(Filed(record) for record in several))
    document = json.loads(text)
    assert next(iter(document)) == "schema"
    best = document["tables"][0]["rows"][0]
    assert best["metrics"]["eer"]["value"] == 0.0536
    assert document["tables"][0]["rows"][-1]["reason"].startswith("out of memory")


def test_numbers_hold_six_significant_digits(make):
    record = make(metrics={"eer": Metric(value=1 / 30, unit="%")}, left_one_out={})
    document = json.loads(document_text(tables([Filed(record)])))
    assert document["tables"][0]["rows"][0]["metrics"]["eer"]["value"] == 0.0333333
