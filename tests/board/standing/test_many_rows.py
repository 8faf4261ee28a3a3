"""Tables of many rows: what is computed together is what each would be alone."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.board.standing.choice import choose
from harness.board.standing.rows import FiledRecord, labels
from harness.board.standing.table import Table, tables
from harness.board.writing.charts import SHOWN, plot_data
from harness.board.writing.efficiency import efficiencies
from harness.records.costs import Resources
from harness.records.record import Metric, Record
from tests.board.conftest import make_record

Make = Callable[..., Record]


def made(records: list[Record]) -> Table:
    (table,) = tables(FiledRecord(record) for record in records)
    return table


@pytest.fixture
def many(make: Make) -> Table:
    """Sixty entries of random merit and speed."""
    draw = random.Random(0)
    return made(
        [
            make(
                f"network-{number:02}",
                value=draw.uniform(0.01, 0.3),
                resources=Resources(inference_per_second=draw.uniform(10, 1000)),
            )
            for number in range(60)
        ]
    )


def shown(table: Table) -> dict[str, Any]:
    (efficiency,) = efficiencies(table)
    return plot_data(table, efficiency)


def test_a_picture_of_many_entries_shows_those_on_a_front_and_the_best_others(many):
    data = shown(many)
    assert len(data["names"].values()) == SHOWN
    assert data["title"].endswith("(28 of 60 entries)")
    (efficiency,) = efficiencies(many)
    (points,) = [each.points for each in efficiency.trade_offs]
    on_front = {point.entry for point in points if point.front}
    entries = set(data["names"].values())
    assert on_front < entries
    others = [point.entry for point in points if not point.front]
    assert entries - on_front == set(others[: SHOWN - len(on_front)])
    (chart,) = data["charts"]
    drawn = {data["names"][str(point["row"])]: point["front"] for point in chart["points"]}
    assert drawn.keys() == entries
    assert {entry for entry, front in drawn.items() if front} == on_front


def test_a_picture_of_few_entries_shows_all_of_them_and_says_nothing_of_it(make):
    data = shown(made([make("a", value=0.1), make("b", value=0.2)]))
    assert len(data["names"].values()) == 2
    assert "entries" not in data["title"]


def test_names_are_told_apart_among_their_namesakes_alone(make):
    rows = made(
        [
            make(f"network-{number // 2}", value=0.01 * (number + 1), recipe_name=recipe)
            for number in range(20)
            for recipe in (("short", "long")[number % 2],)
        ]
    ).rows
    whole = dict(zip((row.entry for row in rows), labels(rows), strict=True))
    for name in {row.name for row in rows}:
        group = [row for row in rows if row.name == name]
        assert [whole[row.entry] for row in group] == labels(group)
    assert len(set(whole.values())) == 20


@given(st.floats(0.001, 0.6), st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=5))
def test_the_spread_of_seeds_is_the_sample_standard_deviation(value, around):
    values = [value * (1 + each) for each in around]
    records = [
        make_record(seed=seed, metrics={"eer": Metric(value=each, unit="%")})
        for seed, each in enumerate(values)
    ]
    figure = made(records).rows[0].figure("eer")
    assert figure is not None
    assert figure.spread == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-15)


def test_equal_seeds_have_no_spread_at_all(make):
    records = [make(seed=seed, metrics={"eer": Metric(value=0.1, unit="%")}) for seed in range(3)]
    figure = made(records).rows[0].figure("eer")
    assert figure is not None
    assert figure.spread == 0.0


def test_the_last_record_is_kept_whatever_the_order(make):
    records = [
        make(seed=seed, finished=f"202{year}-01-01T00:00:00Z")
        for seed in range(3)
        for year in range(4)
    ]
    for turn in range(5):
        mixed = random.Random(turn).sample(records, len(records))
        chosen = choose(FiledRecord(record) for record in mixed)
        assert {each.record.finished[:4] for each in chosen.kept} == {"2023"}
        years = [each.record.finished[:4] for each in chosen.older]
        assert years == ["2020"] * 3 + ["2021"] * 3 + ["2022"] * 3
