"""Several training budgets: a table each, and the curve that they are read as."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from harness.board.standing.budgets import crops_seen
from harness.board.standing.curve import TablesCurve
from harness.board.standing.curve_axes import curves_of
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, table_key, tables
from harness.board.standing.table_ranks import values_by_unit
from harness.board.versions.table_diff import pair_tables
from harness.metrics.significance import p_values
from harness.records.record import Record

BATCH = 32


def made(records: Sequence[Record]) -> list[Table]:
    return tables(FiledRecord(record) for record in records)


@pytest.fixture
def at(make):
    """Make a record of a training that saw so many crops."""

    def record(model: str, crops: int, value: float, **changes) -> Record:
        recipe = {"steps": crops // BATCH, "batch": BATCH}
        name = "short" if crops == 960 else f"short at {crops:,} crops"
        return make(model, value=value, recipe=recipe, recipe_name=name, **changes)

    return record


@pytest.fixture
def curve(at, make) -> TablesCurve:
    """Two entries whose curves cross between 960 and 1,920 crops, and a baseline."""
    values = {"early": (0.20, 0.12, 0.09), "late": (0.30, 0.14, 0.05)}
    records = [
        at(model, crops, value)
        for model, held in values.items()
        for crops, value in zip((480, 960, 1_920), held, strict=True)
    ]
    (found,) = curves_of(made([*records, make("mean", None, value=0.25, seed=None)]))
    return found


def test_each_budget_has_a_table_the_largest_first_with_the_baseline_in_each(at, make):
    records = [at("a", crops, 0.1) for crops in (480, 1_920, 960)]
    found = made([*records, make("mean", None, value=0.25, seed=None)])
    assert [table.budget for table in found] == [1_920, 960, 480]
    assert {table.budgets for table in found} == {(480, 960, 1_920)}
    assert [table.labels for table in found] == [("a + aam", "mean (no training)")] * 3
    assert [table.is_endpoint for table in found] == [True, False, False]
    assert sorted(found, key=table_key) == found


def test_a_record_of_the_recipes_own_length_keeps_its_table_when_others_come(at):
    own = at("a", 960, 0.1)
    (before,) = made([own])
    after = made([own, at("a", 480, 0.2)])
    assert [table_key(each) == table_key(before) for each in after] == [True, False]
    assert not before.is_point
    pairs = {later.budget: earlier for earlier, later in pair_tables([before], after) if later}
    assert pairs == {960: before, 480: None}


def test_systems_of_the_recipe_track_share_a_table_whatever_their_length(at):
    records = [at("a", 480, 0.1, track="recipe"), at("b", 960, 0.2, track="recipe")]
    assert [crops_seen(record) for record in records] == [None, None]
    (table,) = made(records)
    assert table.budget is None


def test_an_exported_file_stands_at_its_networks_budget_and_is_nobodys_rival(at):
    first, other, longer = at("a", 480, 0.1), at("b", 480, 0.2), at("a", 960, 0.05)
    recipe, name = {**first.recipe, "track": "matched"}, f"{first.recipe_name}, exported as x"
    changes = {"track": "exported", "recipe": recipe, "recipe_name": name}
    *_, without = made([first, other, longer])
    *_, found = made([first, other, longer, first.model_copy(update=changes)])
    ranks = {
        row.first.track: rank for row, rank in zip(found.rows, found.ranking.ranks, strict=True)
    }
    assert found.budget == 480
    assert len(found.rows) == len(without.rows) + 1
    assert ranks["exported"] is None
    assert [rank for rank in found.ranking.ranks if rank] == list(without.ranking.ranks)
    assert found.ranking.visible == without.ranking.visible


def test_a_record_that_was_superseded_is_counted_where_the_later_one_stands(at):
    first = at("a", 480, 0.2, finished="2026-01-01T00:00:00Z")
    later = at("a", 480, 0.1, finished="2026-01-02T00:00:00Z")
    found = made([first, later, at("a", 960, 0.1)])
    assert {table.budget: table.superseded for table in found} == {960: 0, 480: 1}


def test_a_curve_has_every_entry_at_every_budget_the_best_at_the_end_first(curve):
    assert [line.entry for line in curve.lines] == [
        "late + aam",
        "early + aam",
        "mean (no training)",
    ]
    assert [point.level for point in curve.lines[0].points] == [480, 960, 1_920]
    assert [line.is_baseline for line in curve.lines] == [False, False, True]
    assert [curve.first(budget) for budget in curve.levels] == ["early + aam"] * 2 + ["late + aam"]


def test_its_p_values_are_those_that_the_ranks_of_each_table_rest_on(curve):
    for table in curve.tables:
        rows = [values_by_unit(row, "eer") for row in table.rows]
        wanted = p_values(rows)
        for i, j in itertools.combinations(range(len(rows)), 2):
            pair = frozenset((rows[i].name, rows[j].name))
            assert curve.p_values[table.budget][pair] == pytest.approx(wanted[i, j])


def test_where_curves_cross_and_that_both_leads_are_significant(curve):
    found = [(e.leader, e.follower, e.before, e.after) for e in curve.crossings]
    assert found == [
        ("mean (no training)", "late + aam", 480, 960),
        ("early + aam", "late + aam", 960, 1_920),
    ]
    assert all(each.is_told_before and each.is_told_after for each in curve.crossings)


def test_a_lead_within_the_noise_is_not_told_apart(at):
    noisy = {
        "a": {f"s{i:02}": 0.10 + 0.002 * (i % 5) for i in range(24)},
        "bb": {f"s{i:02}": 0.10 + 0.002 * ((i + 2) % 5) for i in range(24)},
    }
    records = [
        at(model, crops, value, left_one_out={"eer": noisy[model]})
        for model, values in {"a": (0.104, 0.105), "bb": (0.105, 0.104)}.items()
        for crops, value in zip((480, 960), values, strict=True)
    ]
    (curve,) = curves_of(made(records))
    (crossing,) = curve.crossings
    assert not crossing.is_told_before
    assert not crossing.is_told_after
    assert curve.best(480) == ["a + aam", "bb + aam"]


def test_a_claimed_figure_is_on_no_curve(at):
    records = [at("a", 480, 0.2), at("a", 960, 0.1), at("b", 960, 0.01, trust="claimed")]
    (curve,) = curves_of(made(records))
    assert [line.entry for line in curve.lines] == ["a + aam"]


def test_a_setting_of_a_call_is_an_entry_of_its_own_and_leaves_its_namesakes_line_whole(at, make):
    own = [at("a", crops, value) for crops, value in ((480, 0.2), (960, 0.1))]
    swept = make(
        "a",
        value=0.19,
        recipe={"steps": 480 // BATCH, "batch": BATCH, "optimizer": {"lr": 0.2}},
        recipe_name="short at 480 crops with optimizer.lr=0.2",
    )
    found = made([*own, swept])
    assert {table.budget: sorted(table.labels) for table in found} == {
        480: ["a + aam", "a + aam [with optimizer.lr=0.2]"],
        960: ["a + aam"],
    }
    (curve,) = curves_of(found)
    points = {line.entry: [point.level for point in line.points] for line in curve.lines}
    assert points == {"a + aam": [480, 960], "a + aam [with optimizer.lr=0.2]": [480]}
