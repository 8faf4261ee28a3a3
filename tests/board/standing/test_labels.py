"""Entries of one name can be told apart."""

from __future__ import annotations

from harness.board.standing.labels import labels
from harness.board.standing.rows import Filed
from harness.board.standing.table import tables


def test_entries_of_one_name_say_in_what_they_differ(make):
    records = [make(value=0.1), make(value=0.2, recipe_name="long")]
    table = tables(Filed(record) for record in records)[0]
    assert labels(table.rows) == [
        "ecapa-512 + aam [recipe short]",
        "ecapa-512 + aam [recipe long]",
    ]


def test_a_failed_seed_has_its_entrys_name(make):
    table = tables([Filed(make()), Filed(make(seed=1, state="failed"))])[0]
    assert labels(table.rows) == ["ecapa-512 + aam"] * 2


def test_a_claim_is_marked_and_so_are_entries_with_items_left_out(make, data):
    told = make("b", trust="claimed", dataset=data(left_out=("x.wav",)))
    assert labels(tables([Filed(make("a")), Filed(told)])[0].rows) == ["a + aam", "b + aam † ‡"]
