"""A measured quantity is declared by one field of the record, and is shown everywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.captions import footnotes
from harness.board.writing.grids import cost_columns, size_columns
from harness.board.writing.json_document import document
from harness.records.costs import Latency, Resources
from tests.places import ROOT

DECLARATION = """
    wear: Annotated[
        float | None,
        CostFacts("wear of the fan", "turns", "kturns", 1000, note="Wear: of the fan."),
    ] = None
"""

SHOW = """
import json, sys
from pathlib import Path
from harness.board.publishing.published_tables import render
from harness.records.record import Record
from harness.records.record_files import to_document
from harness.registry.history.line import line_of
from harness.registry.history.night_page import history_page

documents = json.loads(sys.stdin.read())
for number, document in enumerate(documents, start=1):
    document["resources"]["wear"] = 1234.0 * number
records = {f"{n}.json": Record.model_validate(each) for n, each in enumerate(documents)}
files = render(records)
line = line_of(records["0.json"], b"", "2026-01-01", Path("0.json"))
print(json.dumps({
    "record": to_document(records["0.json"])["resources"]["wear"],
    "markdown": files.texts["speaker.md"],
    "json": json.loads(files.texts["speaker.json"])["tables"][0],
    "page": files.texts["site/speaker.html"],
    "pictures": list(files.plots.values()),
    "history": history_page({"a": [line]}),
}))
"""


@pytest.fixture
def harness(tmp_path: Path) -> Path:
    """A copy of the program in which one file declares a further quantity."""
    shutil.copytree(
        ROOT / "harness", tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__")
    )
    costs = tmp_path / "harness" / "records" / "costs.py"
    before, after = costs.read_text().split("    cpu_wait: float | None", 1)
    costs.write_text(f"{before}{DECLARATION}    cpu_wait: float | None{after}")
    return tmp_path


def test_a_quantity_that_one_file_declares_is_shown_everywhere(harness, make):
    records = [make("a"), make("b", value=0.1)]
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        input=json.dumps([record.model_dump(mode="json", by_alias=True) for record in records]),
        cwd=harness,
        env={**os.environ, "PYTHONPATH": str(harness)},
        capture_output=True,
        text=True,
        check=True,
    )
    shown = json.loads(done.stdout)
    table, efficiency = shown["markdown"].split("<summary>Efficiency")
    assert shown["record"] == 1234.0
    assert "wear of the fan (kturns)" in table
    assert "Wear: of the fan." in table
    assert "wear of the fan (kturns) ↓" in efficiency
    costs = [next(iter(row["costs"].values())) for row in shown["json"]["rows"]]
    assert sorted(each["wear"] for each in costs) == [1234.0, 2468.0]
    assert "wear" in {each["cost"] for each in shown["json"]["efficiency"]}
    assert "wear-of-the-fan-kturns" in shown["page"]
    titles = [chart["title"] for picture in shown["pictures"] for chart in picture["charts"]]
    assert "wear of the fan" in titles
    assert re.search(r"\| wear of the fan +\|", shown["history"])
    assert "1.23 kturns" in shown["history"]


def made(resources: Resources, make) -> Table:
    (table,) = tables([FiledRecord(make(resources=resources))])
    return table


def test_quantities_of_the_record_that_were_never_shown_are_shown(make):
    latencies = [
        Latency(seconds=seconds, threads=1, p50=seconds / 100, p95=seconds / 50)
        for seconds in (2.0, 5.0)
    ]
    table = made(
        Resources(
            data_wait=0.0123,
            joules_per_item=4.5678,
            checkpoint_bytes=3 * 2**20,
            latencies=tuple(latencies),
        ),
        make,
    )
    (row,) = table.rows
    found = [*size_columns([row]), *cost_columns([row], row.first.environment_digest)]
    assert {column.title: str(column.cells[0]) for column in found} == {
        "checkpoint (MiB)": "3.00",
        "latency of 2 s on 1 thread (ms)": "20.0 (40.0)",
        "latency of 5 s on 1 thread (ms)": "50.0 (100)",
        "training energy (J/item)": "4.57",
        "waiting for inputs (%)": "1.23",
    }
    (document_row,) = document([table])["tables"][0]["rows"]
    assert document_row["checkpoint_bytes"] == 3 * 2**20
    (costs,) = document_row["costs"].values()
    assert (costs["data_wait"], costs["joules_per_item"]) == (0.0123, 4.5678)
    assert costs["latencies"] == [each.model_dump() for each in latencies]
    for start in ("Waiting for inputs", "Training energy", "Latency by length", "Checkpoint"):
        assert any(note.startswith(start) for note in footnotes(table))


def test_latencies_of_several_seeds_are_means_by_length_and_threads(make):
    seeds = [
        Resources(latencies=(Latency(seconds=2.0, threads=1, p50=p50, p95=2 * p50),))
        for p50 in (0.01, 0.03)
    ]
    (table,) = tables(
        FiledRecord(make(seed=seed, resources=each)) for seed, each in enumerate(seeds)
    )
    (column,) = cost_columns(table.rows, table.records[0].environment_digest)
    assert (str(column.cells[0]), column.cells[0].value) == ("20.0 (40.0)", 20.0)
