"""Entries of one name can be told apart."""

from __future__ import annotations

from harness.board.standing.rows import FiledRecord, labels
from harness.board.standing.table import tables


def test_entries_of_one_name_say_in_what_they_differ(make):
    records = [make(value=0.1), make(value=0.2, recipe_name="long")]
    table = tables(FiledRecord(record) for record in records)[0]
    assert labels(table.rows) == [
        "ecapa-512 + aam [recipe short]",
        "ecapa-512 + aam [recipe long]",
    ]


def test_a_failed_seed_has_its_entrys_name(make):
    table = tables([FiledRecord(make()), FiledRecord(make(seed=1, state="failed"))])[0]
    assert labels(table.rows) == ["ecapa-512 + aam"] * 2


def test_a_claim_is_marked_and_so_are_entries_with_items_left_out(make, data):
    told = make("b", trust="claimed", dataset=data(left_out=("x.wav",)))
    assert labels(tables([FiledRecord(make("a")), FiledRecord(told)])[0].rows) == [
        "a + aam",
        "b + aam † ‡",
    ]
