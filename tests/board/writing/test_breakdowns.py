"""The primary metric in parts of the test."""

from __future__ import annotations

from typing import Any

import pytest

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.breakdowns import breakdown_grids
from harness.board.writing.markdown import section
from harness.records.details_schema import Breakdown, Details, Group, GroupMetric


def group(name: str, value: float | None, **more: Any) -> Group:
    figure = value if value is None else GroupMetric(value=value, low=value * 0.8, high=value * 1.2)
    counts = {"units": 40, "items": 400, "trials": 1000, "targets": 100} | more
    return Group(name=name, metrics={"eer": figure}, **counts)


def details(*groups: Group, name: str = "duration", **more: Any) -> Details:
    parts = Breakdown(title=f"the {name}", rule="trials that last so long", groups=groups, **more)
    return Details(record="e" * 64, breakdowns={name: parts})


@pytest.fixture
def table(make) -> Table:
    filed = [
        FiledRecord(make("a", value=0.1, seed=0), "a0.json"),
        FiledRecord(make("a", value=0.1, seed=1), "a1.json"),
        FiledRecord(make("b", value=0.2), "b.json"),
        FiledRecord(make("c", state="failed", reason="loss became NaN", metrics={}), "c.json"),
    ]
    (made,) = tables(filed)
    return made


def lines(grid) -> list[list[str]]:
    heads = [column.title for column in grid.columns]
    return [
        heads,
        *(["".join(piece.text for piece in cell) for cell in line] for line in grid.lines),
    ]


def test_a_group_is_a_column_and_seeds_are_means(table):
    found = {
        "a0.json": details(group("short", 0.10), group("long", 0.02)),
        "a1.json": details(group("short", 0.20), group("long", 0.04)),
        "b.json": details(group("short", 0.30), group("long", 0.05)),
    }
    ((grid, notes),) = breakdown_grids(table, found)
    assert grid.title == "EER % by the duration"
    assert lines(grid) == [
        ["entry (model + loss)", "short (40 speakers)", "long (40 speakers)"],
        ["a + aam", "15.00 (12.00-18.00)", "3.00 (2.40-3.60)"],
        ["b + aam", "30.00 (24.00-36.00)", "5.00 (4.00-6.00)"],
    ]
    assert notes == ["Of a group are trials that last so long."]


def test_an_entry_of_which_a_seed_is_not_known_is_left_away(table):
    found = {"a0.json": details(group("short", 0.1)), "b.json": details(group("short", 0.3))}
    ((grid, _),) = breakdown_grids(table, found)
    assert [line[0] for line in lines(grid)[1:]] == ["b + aam"]
    assert breakdown_grids(table, {}) == []


@pytest.mark.parametrize("small", [{"units": 19}, {"targets": 29}])
def test_a_small_group_is_marked(table, small):
    found = {"b.json": details(group("all", 0.1), group("few", 0.2, **small))}
    ((grid, notes),) = breakdown_grids(table, found)
    heads = lines(grid)[0]
    assert [head.endswith(" °") for head in heads] == [False, False, True]
    assert notes[-1].startswith("°: fewer than 20 speakers or 30 target trials")


def test_of_many_groups_each_is_a_line(table):
    few = details(*(group(str(number), 0.1) for number in range(8)))
    many = details(*(group(str(number), number / 10) for number in range(9)))
    ((wide, _),) = breakdown_grids(table, {"b.json": few})
    ((high, _),) = breakdown_grids(table, {"b.json": many})
    assert len(wide.columns) == 9
    assert lines(high)[0] == ["the duration", "b + aam"]
    assert [line[0] for line in lines(high)[1:]] == [
        f"{number} (40 speakers)" for number in range(9)
    ]
    assert lines(high)[-1][1] == "80.00 (64.00-96.00)"


def test_of_data_without_trials_the_mark_tells_of_units_alone(table):
    found = {"b.json": details(group("few", 0.2, units=3, trials=None, targets=None))}
    ((_, notes),) = breakdown_grids(table, found)
    assert notes[-1] == "°: fewer than 20 speakers, too few to tell entries apart."


def test_a_group_without_the_metric_has_none(table):
    found = {"b.json": details(group("tiny", None), group("short", 0.1))}
    ((grid, _),) = breakdown_grids(table, found)
    assert lines(grid)[1] == ["b + aam", "–", "10.00 (8.00-12.00)"]


def test_what_a_group_is_judged_against_and_what_is_not_shown_are_told(table):
    crossed = group("different", 0.1, targets=0, against="all targets")
    found = {"b.json": details(crossed, group("same", 0.1), untold=3)}
    ((grid, notes),) = breakdown_grids(table, found)
    assert "°" not in "".join(lines(grid)[0])
    assert "Against all targets of the test: different." in notes
    assert "Not shown: 3 smaller groups." in notes


def test_a_page_shows_each_breakdown_escaped(table):
    found = {"b.json": details(group("<b>|x", 0.1))}
    text = section(table, details=found)
    assert "### EER % by the duration" in text
    assert "&lt;b&gt;\\|x (40 speakers)" in text
    assert "### EER" not in section(table)
