"""Rows whose test holds copies of training data: no rank, and beside the honest ones."""

from __future__ import annotations

import pytest

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.captions import footnotes
from harness.board.writing.entry_grids import short_grid
from harness.board.writing.grids import ENTRY
from harness.board.writing.json_document import document
from harness.board.writing.markdown import section
from harness.records.record import MetricFacts


@pytest.fixture
def made(make, data, protocol):
    """The honest table and the leaky one of two entries."""
    facts = {"eer": MetricFacts(title="accuracy", unit="%", higher_is_better=True)}
    honest = {"dataset": data(), "protocol": protocol(facts=facts)}
    leaky = {
        "dataset": data(name="copied", leaks="open-26666", lock="c" * 64),
        "protocol": protocol(facts=facts, digest="d" * 64),
    }
    records = [
        make(name, value=value, **where)
        for where, values in ((honest, (0.40, 0.5)), (leaky, (0.90, 0.85)))
        for name, value in zip("ab", values, strict=True)
    ]
    found = tables(FiledRecord(record) for record in records)
    return {table.dataset.name: table for table in found}


def test_it_takes_no_rank_and_its_trust_is_leaky(made):
    table = made["copied"]
    assert table.ranking.ranks == (None, None)
    assert "nothing is ranked" in table.ranking.reason
    assert [row.shown_trust for row in table.rows] == ["leaky", "leaky"]
    assert [row.trust for row in table.rows] == ["measured", "measured"]
    assert any("leaky: copies of one picture" in note for note in footnotes(table))
    assert {row["trust"] for row in document([table])["tables"][0]["rows"]} == {"leaky"}


def test_it_stands_beside_the_honest_figure_with_the_difference(made):
    assert made["copied"].honest is made["open-26666"]
    assert made["open-26666"].honest is None
    grid = short_grid(made["copied"])
    columns = {each.title: [str(cell) for cell in each.cells] for each in grid.columns}
    assert columns[ENTRY] == ["a + aam", "b + aam"]
    theirs = columns["accuracy without the leak"]
    assert [text.split()[0] for text in theirs] == ["40.00", "50.00"]
    assert columns["difference (points)"] == ["50.00", "35.00"]
    assert "without the leak" in section(made["copied"])
    assert "without the leak" not in section(made["open-26666"])


def test_the_honest_table_is_as_it_was(made, make, data, protocol):
    facts = {"eer": MetricFacts(title="accuracy", unit="%", higher_is_better=True)}
    alone = [make(n, value=v, protocol=protocol(facts=facts)) for n, v in (("a", 0.4), ("b", 0.5))]
    table = tables(FiledRecord(record) for record in alone)[0]
    assert section(table) == section(made["open-26666"])
