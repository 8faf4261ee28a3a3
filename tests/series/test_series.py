"""A series as tables."""

from __future__ import annotations

import math

import pytest

from harness.errors import RequestError
from harness.series.series import Series, scalar_frame

ROWS = [
    ("Train/Loss", 1, 0.5, 1.0, 4.0),
    ("Test/eer", 2, 1.0, 2.5, 0.3),
    ("Train/Loss", 2, 1.0, 2.0, 2.0),
    ("Train/Loss", 3, 1.5, 3.0, 1.0),
    ("Train/Loss", 3, 1.5, 3.5, 0.5),
]


def test_a_scalar_has_its_steps_once_and_in_order():
    series = Series("here", scalar_frame(reversed(ROWS[:4])))
    assert series.names == ("Train/Loss", "Test/eer")
    assert series["Train/Loss"]["step"].tolist() == [1, 2, 3]
    assert series["Test/eer"].to_dict("list") == {
        "step": [2], "epoch": [1.0], "seconds": [2.5], "value": [0.3]
    }  # fmt: skip


def test_of_a_step_that_stands_twice_the_later_value_counts():
    assert Series("here", scalar_frame(ROWS))["Train/Loss"]["value"].tolist() == [4.0, 2.0, 0.5]


def test_the_wide_table_by_step_and_by_epoch():
    series = Series("here", scalar_frame(ROWS[:4]))
    by_step = series.frame()
    assert by_step.index.tolist() == [1, 2, 3]
    assert by_step["Train/Loss"].tolist() == [4.0, 2.0, 1.0]
    assert math.isnan(by_step.loc[1, "Test/eer"])
    by_epoch = series.frame("epoch")
    assert by_epoch.index.tolist() == [1, 2]
    assert by_epoch["Train/Loss"].tolist() == [3.0, 1.0]


def test_an_empty_series_has_an_empty_table():
    empty = Series("here", scalar_frame([]))
    assert empty.names == ()
    assert empty.frame().empty
    assert empty.frame("epoch").empty


def test_a_name_that_is_not_there_names_the_nearest():
    series = Series("here", scalar_frame(ROWS))
    with pytest.raises(RequestError, match=r"here: no series 'Train/loss'; did you mean 'Train/L"):
        series["Train/loss"]
