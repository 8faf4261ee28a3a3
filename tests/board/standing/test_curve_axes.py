"""A number that a suite names of its datasets: their tables read as one curve over it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import pytest

from harness.board.standing.curve import BUDGET, TablesCurve
from harness.board.standing.curve_axes import DatasetAxis, curves_of
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.standing.table_ranks import values_by_unit
from harness.metrics.significance import p_values
from harness.records.record import Record

AXES = {"speaker": DatasetAxis("act_imbalance", {"even": 1.0, "steep": 869.0, "some": 50.0})}
VALUES = {"early": (0.20, 0.28, 0.45), "late": (0.30, 0.34, 0.36)}


def made(records: Sequence[Record]) -> list[Table]:
    return tables(FiledRecord(record) for record in records)


@pytest.fixture
def on(make, data):
    """Make a record on a dataset, whose data and rules are its own."""

    def record(model: str, dataset: str, value: float, loss: str | None = "aam", **changes):
        seed = changes.pop("seed", 0 if loss else None)
        own = data(name=dataset, title=f"turns, {dataset}", lock=dataset[0] * 64)
        return make(model, loss, value=value, seed=seed, dataset=own, **changes)

    return record


@pytest.fixture
def records(on) -> list[Record]:
    """Two entries whose curves cross after the second level, and a baseline that gets better."""
    datasets = ("even", "some", "steep")
    trained = [
        on(model, dataset, value)
        for model, values in VALUES.items()
        for dataset, value in zip(datasets, values, strict=True)
    ]
    baselines = (on("mean", d, v, None) for d, v in zip(datasets, (0.5, 0.49, 0.48), strict=True))
    return [*trained, *baselines]


@pytest.fixture
def curve(records) -> TablesCurve:
    (found,) = curves_of(made(records), AXES)
    return found


def test_tables_of_a_suites_datasets_are_one_curve_by_their_numbers(curve):
    assert (curve.axis, curve.levels) == ("act_imbalance", (1, 50, 869))
    assert [table.dataset.name for table in curve.tables] == ["even", "some", "steep"]
    assert curve.is_over_datasets
    assert [str(level) for level in curve.levels] == ["1", "50", "869"]


def test_each_entry_is_a_line_a_baseline_with_a_figure_of_each_dataset(curve):
    held = {line.entry: [point.figure.value for point in line.points] for line in curve.lines}
    assert held == {
        "late + aam": [0.30, 0.34, 0.36],
        "early + aam": [0.20, 0.28, 0.45],
        "mean (no training)": [0.5, 0.49, 0.48],
    }
    assert next(iter(held)) == "late + aam", "the best at the largest number comes first"
    assert all(point.figure.low for line in curve.lines for point in line.points)


def test_its_p_values_are_those_that_the_ranks_of_each_table_rest_on(curve):
    for level, table in zip(curve.levels, curve.tables, strict=True):
        wanted = p_values([values_by_unit(row, "eer") for row in table.rows])
        for i, j in itertools.combinations(range(len(table.rows)), 2):
            pair = frozenset((table.rows[i].name, table.rows[j].name))
            assert curve.p_values[level][pair] == pytest.approx(wanted[i, j])


def test_where_lines_cross_is_between_two_numbers(curve):
    found = [(e.leader, e.follower, e.before, e.after) for e in curve.crossings]
    assert found == [("early + aam", "late + aam", 50, 869)]
    assert all(each.is_told_before and each.is_told_after for each in curve.crossings)


def test_it_stands_above_the_table_that_a_page_shows_first(records, on, data):
    (curve,) = curves_of(made(records), AXES)
    assert curve.host.dataset.name == "even"
    many = data(name="steep", lock="s" * 64, counts={"test": {"units": 500}})
    moved = [
        each.model_copy(update={"dataset": many}) if each.dataset.name == "steep" else each
        for each in records
    ]
    (curve,) = curves_of(made(moved), AXES)
    assert curve.host.dataset.name == "steep"


@pytest.mark.parametrize(
    "axes",
    [
        {},
        {"image": AXES["speaker"]},
        {"speaker": DatasetAxis("act_imbalance", {"even": 1.0, "other": 2.0})},
    ],
    ids=["no axis", "another suite's", "one dataset alone"],
)
def test_a_suite_without_an_axis_has_no_curve(records, axes: Mapping[str, DatasetAxis]):
    assert curves_of(made(records), axes) == []


def test_profiles_and_versions_of_a_protocol_are_curves_of_their_own(records, protocol):
    full = [each.model_copy(update={"protocol": protocol(profile="full")}) for each in records]
    newer = [each.model_copy(update={"protocol": protocol(version=2)}) for each in records]
    found = curves_of(made([*records, *full, *newer]), AXES)
    assert len({each.rules for each in found}) == 3
    for each in found:
        (rules,) = {(t.protocol.profile, t.protocol.version) for t in each.tables}
        assert each.endpoint.protocol.version == rules[1]


def test_of_a_dataset_with_other_data_the_table_of_most_rows_is_on_it(records, on, data):
    other = data(name="even", lock="0" * 64)
    lone = on("early", "even", 0.9).model_copy(update={"dataset": other})
    (curve,) = curves_of(made([*records, lone]), AXES)
    assert len(curve.tables) == 3
    assert curve.lines[1].at[1].figure.value == 0.20


def test_a_dataset_of_several_budgets_keeps_the_curve_over_these(records, on):
    short = [
        on("early", "even", value, recipe={"steps": steps, "batch": 32}, recipe_name=str(steps))
        for steps, value in ((30, 0.3), (60, 0.2))
    ]
    own = [each for each in records if each.dataset.name != "even"]
    over_budgets, over_datasets = curves_of(made([*own, *short]), AXES)
    assert (over_budgets.axis, over_budgets.levels) == (BUDGET, (960, 1_920))
    assert over_datasets.levels == (50, 869)


def test_tables_in_which_nothing_is_compared_are_no_curve(records):
    claimed = [each.model_copy(update={"trust": "claimed"}) for each in records]
    assert curves_of(made(claimed), AXES) == []
