"""What a table says that an earlier one did not, against tests computed by other means."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import t, ttest_rel

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, table_before, tables
from harness.board.versions.changelog import (
    change_blocks,
    change_log,
    changes_document,
    log_entries,
)
from harness.board.versions.table_changes import Changes, Moved, Superseded, changes
from harness.board.versions.value_changes import Shift
from harness.metrics.comparison import holm
from harness.records.record import Artefact, Metric, Record, RecordedComponent, Stage

UNITS = 30


def per_unit(seed: int, mean: float, spread: float = 0.01) -> list[float]:
    drawn: list[float] = np.random.default_rng(seed).normal(mean, spread, UNITS).tolist()
    return drawn


@pytest.fixture
def entry(make, protocol):
    """The factory of a record whose metric is a mean over speakers, so that t tests are exact."""

    def record(model: str, values: list[float], version: int = 1, **changes: Any) -> Record:
        total, size = math.fsum(values), len(values)
        left = {f"spk{i:02}": (total - each) / (size - 1) for i, each in enumerate(values)}
        trained = changes.pop("trained", f"{model} {version}")
        given = {
            "protocol": protocol(version=version, digest=str(version) * 64),
            "metrics": {"eer": Metric(value=total / size, unit="%")},
            "left_one_out": {"eer": left},
            "stages": {"train": Stage(key=trained, inputs={}, finished="2026-01-01T00:00:00Z")},
        }
        return make(model, **given | changes)

    return record


def made(*records: Record) -> Table:
    (table,) = tables(FiledRecord(record, f"{i}.json") for i, record in enumerate(records))
    return table


def told(before: list[Record], after: list[Record]) -> Changes:
    return changes(made(*after), made(*before))


def verdicts(found: Changes) -> dict[str, str]:
    return {shift.entry: shift.verdict for shift in found.shifts}


def test_nothing_is_told_of_a_table_and_itself(several):
    assert not told(several, several)
    assert log_entries(made(*several), [made(*several)]) == []


def test_p_of_networks_judged_again_is_the_paired_t_test(entry):
    values = {name: (per_unit(i, 0.05), per_unit(9 + i, 0.06)) for i, name in enumerate("abc")}
    found = told(
        [entry(name, was, trained=name) for name, (was, _) in values.items()],
        [entry(name, now, 2, trained=name) for name, (_, now) in values.items()],
    )
    raw = [ttest_rel(*values[shift.entry[0]]).pvalue for shift in found.shifts]
    assert [shift.p for shift in found.shifts] == pytest.approx(holm(raw).tolist(), abs=1e-9)
    for shift in found.shifts:
        was, now = values[shift.entry[0]]
        assert shift.before == pytest.approx(np.mean(was))
        assert shift.after == pytest.approx(np.mean(now))


def test_a_large_change_is_significant_and_a_small_one_is_not(entry):
    noise = per_unit(0, 0.0, 0.002)
    before = {"a": per_unit(1, 0.05), "bb": per_unit(2, 0.05)}
    after = {
        "a": [each + 0.02 + more for each, more in zip(before["a"], noise, strict=True)],
        "bb": [each + more for each, more in zip(before["bb"], noise, strict=True)],
    }
    found = told(
        [entry(name, values, trained=name) for name, values in before.items()],
        [entry(name, values, 2, trained=name) for name, values in after.items()],
    )
    assert verdicts(found) == {"a + aam": "significant", "bb + aam": "not significant"}


def test_networks_trained_again_bring_the_spread_of_seeds(entry):
    """The seeds' variance is Satterthwaite's second part, as between two entries of one table."""
    noise = per_unit(5, 0.0, 0.002)
    before = [per_unit(1, 0.05), per_unit(2, 0.07)]
    after = [[each + 0.01 + n for each, n in zip(seed, noise, strict=True)] for seed in before]

    def of(values: list[list[float]], version: int, trained: str) -> list[Record]:
        return [
            entry("a", each, version, seed=seed, trained=f"{trained}{seed}")
            for seed, each in enumerate(values)
        ]

    again = told(of(before, 1, "x"), of(after, 2, "x"))
    anew = told(of(before, 1, "x"), of(after, 2, "y"))
    seeds = np.mean(after, axis=1)
    mean = float(np.mean(seeds))
    sd = float(np.std(seeds, ddof=1)) / (mean * (1 - mean))
    was = float(np.mean(before))
    variance = sum((sd * each * (1 - each)) ** 2 / 2 for each in (was, mean))
    moved = np.mean(after, axis=0) - np.mean(before, axis=0)
    test = float(np.var(moved, ddof=1)) / UNITS
    freedom = (test + variance) ** 2 / (test**2 / (UNITS - 1) + variance**2 / 1)
    wanted = 2 * t.sf(abs(mean - was) / math.sqrt(test + variance), freedom)
    assert anew.shifts[0].p == pytest.approx(wanted, rel=1e-6)
    assert again.shifts[0].p == pytest.approx(
        ttest_rel(np.mean(after, axis=0), np.mean(before, axis=0)).pvalue, abs=1e-9
    )
    assert (again.shifts[0].verdict, anew.shifts[0].verdict) == ("significant", "not significant")


def test_the_same_weights_are_the_same_networks_whatever_the_keys(entry):
    weights = {"checkpoint": Artefact(sha256="f" * 64, bytes=1)}
    several = [per_unit(1, 0.05), per_unit(2, 0.08)]
    before = [entry("a", v, seed=s, artefacts=weights) for s, v in enumerate(several)]
    after = [
        entry("a", [each + 0.001 for each in v], 2, seed=s, artefacts=weights)
        for s, v in enumerate(several)
    ]
    assert told(before, after).shifts[0].p == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ({}, {"left_one_out": {}}, "the metric without each speaker is not known of both"),
        ({"trust": "claimed"}, {"trust": "claimed"}, "a claim is no measurement"),
    ],
)
def test_what_cannot_be_compared_says_why(entry, was, now, why):
    found = told([entry("a", per_unit(0, 0.05), **was)], [entry("a", per_unit(1, 0.06), 2, **now)])
    (shift,) = found.shifts
    assert (shift.p, shift.why, shift.verdict) == (None, why, "not comparable")
    assert f"- Not comparable, as {why}: {shift.entry}." in "\n".join(change_blocks(found))


def test_other_units_too_few_units_and_other_metrics_are_not_compared(entry, data, protocol):
    def why(was: Record, now: Record) -> str:
        (shift,) = told([was], [now]).shifts
        return shift.why

    first = entry("a", per_unit(0, 0.05))
    more = entry("a", [*per_unit(0, 0.05), 0.9], 2)
    assert why(first, more) == "30 test speakers were 31 others, 30 of them the same"
    few = entry("a", per_unit(0, 0.05)[:19]), entry("a", per_unit(1, 0.05)[:19], 2)
    assert why(*few) == "19 test speakers; 20 are needed"
    items = entry("a", per_unit(1, 0.06), 2, dataset=data(unit="item"))
    assert why(first, items) == "speakers were resampled, and items are"
    facts = {"eer": protocol().facts["eer"].model_copy(update={"higher_is_better": True})}
    turned = entry("a", per_unit(1, 0.06), protocol=protocol(version=2, facts=facts))
    assert why(first, turned) == "EER is another metric than it was"


def test_numbered_units_of_other_data_are_not_the_same_units(entry, data):
    def numbered(lock: str, version: int, seed: int) -> Record:
        record = entry("a", per_unit(seed, 0.05), version, dataset=data(lock=lock * 64))
        left = dict(enumerate(record.left_one_out["eer"].values()))
        return record.model_copy(
            update={"left_one_out": {"eer": {str(i): each for i, each in left.items()}}}
        )

    (moved,) = told([numbered("b", 1, 0)], [numbered("c", 2, 1)]).shifts
    assert moved.why == "other data, in which speakers are numbered and not named"
    (stayed,) = told([numbered("b", 1, 0)], [numbered("b", 2, 1)]).shifts
    assert stayed.p is not None


def test_rules_are_compared_key_by_key(make, protocol, data):
    before = make(protocol=protocol(parameters={"p_target": 0.01, "gone": True}))
    facts = {**protocol().facts}
    facts["eer"] = facts["eer"].model_copy(update={"decimals": 3})
    after = make(
        protocol=protocol(
            version=2, digest="e" * 64, parameters={"p_target": 0.05, "new": "cosine"}, facts=facts
        ),
        dataset=data(lock="f" * 64, counts={"test": {"units": 25, "items": 240}}),
    )
    found = {rule.name: (rule.before, rule.after) for rule in told([before], [after]).rules}
    assert found == {
        "protocol version": (1, 2),
        "protocol digest": ("a" * 64, "e" * 64),
        "parameter p_target": (0.01, 0.05),
        "parameter new": (None, "cosine"),
        "parameter gone": (True, None),
        "metric eer: decimals": (2, 3),
        "data lock": ("b" * 64, "f" * 64),
        "test units": (24, 25),
        "test targets": (400, None),
        "test trials": (2400, None),
    }
    text = "\n".join(change_blocks(told([before], [after])))
    assert "| data lock" in text
    assert "f" * 12 in text
    assert "f" * 13 not in text


def test_entries_come_go_and_move(entry):
    low, high = per_unit(0, 0.05), per_unit(1, 0.2)
    before = [entry("a", low), entry("bb", high), entry("gone", per_unit(2, 0.5))]
    after = [entry("a", high, 2), entry("bb", low, 2), entry("new", per_unit(3, 0.5), 2)]
    found = told(before, after)
    assert (found.came, found.went) == (("new + aam",), ("gone + aam",))
    assert found.moved == (Moved("bb + aam", 2, 1), Moved("a + aam", 1, 2))
    assert found.superseded == ()


def test_a_failed_entry_that_is_done_now_turned(make, protocol):
    failed = make(state="oom", reason="out of memory", metrics={}, left_one_out={})
    rules = protocol(version=2)
    found = told([failed, make("b")], [make(protocol=rules), make("b", protocol=rules)])
    assert [(turn.what, turn.before, turn.after) for turn in found.turns] == [
        ("state", "oom", "done"),
        ("trust", "", "measured"),
        ("seeds", "none", "0"),
    ]
    assert "state oom → done" in "\n".join(change_blocks(found))


def test_an_entry_of_another_content_is_still_that_entry_where_its_name_tells_it(make):
    newer = RecordedComponent(
        name="ecapa-512", adapter="adapters.speechbrain:Ecapa", version=2, fields={}
    )
    found = told([make()], [make(value=0.04).model_copy(update={"model": newer})])
    assert (found.came, found.went) == ((), ())
    assert [(turn.what, turn.before, turn.after) for turn in found.turns] == [
        ("model version", "1", "2")
    ]
    two = [make(), make(recipe_name="long")]
    twice = [
        record.model_copy(update={"model": newer, "recipe_name": f"new {record.recipe_name}"})
        for record in two
    ]
    ambiguous = told(two, twice)
    assert len(ambiguous.came) == len(ambiguous.went) == 2


def test_later_records_of_the_same_rules_are_told_and_compared(entry):
    old = entry("a", per_unit(0, 0.2))
    new = entry("a", per_unit(1, 0.05), trained="again", finished="2027-01-01T00:00:00Z")
    other = entry("bb", per_unit(2, 0.1))
    table = made(old, new, other)
    assert [filed.record for filed in table.older] == [old]
    before = table_before(table)
    assert before is not None
    assert [row.first for row in before.rows] == [other, old]
    found = changes(table, before)
    assert found.superseded == (Superseded("a + aam", (0,)),)
    assert [(shift.entry, shift.verdict) for shift in found.shifts] == [("a + aam", "significant")]
    log = change_log(log_entries(table, [table]))
    assert log[0] == "### Changes by records that took the places of older ones"
    assert "- Later records: a + aam (seed 0)." in log[1]


def test_of_several_older_records_the_last_is_what_was_before(entry):
    records = [
        entry("a", per_unit(i, 0.1 * (i + 1)), trained=str(i), finished=f"202{i}-01-01T00:00:00Z")
        for i in range(3)
    ]
    before = table_before(made(*records))
    assert before is not None
    assert [row.first for row in before.rows] == [records[1]]


def test_pages_tell_the_primary_metric_and_a_diff_tells_all(make, protocol):
    later = protocol(version=2, digest="c" * 64)
    before, after = made(make()), made(make(value=0.06, protocol=later))
    found = changes(after, before)
    assert {shift.metric for shift in found.shifts} == {"eer", "min_dcf"}
    assert "minDCF" not in "\n".join(change_log(log_entries(after, [before])))
    assert "minDCF" in "\n".join(change_blocks(found))
    (unknown,) = [shift for shift in found.shifts if shift.metric == "min_dcf"]
    assert unknown.why == "the metric without each speaker is not known of both"


def test_a_change_that_no_page_would_show_is_none(entry):
    values = per_unit(0, 0.05)
    again = [each * (1 + 1e-9) for each in values]
    assert told([entry("a", values)], [entry("a", again, 2)]).shifts == ()


def test_names_from_records_are_data(make, protocol):
    evil = "<script>alert(1)</script>|`x`"
    found = told([make()], [make(), make(evil, protocol=protocol())])
    text = "\n".join(change_blocks(found))
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|\\`x\\`" in text


def test_the_document_is_plain_json(entry):
    found = told([entry("a", per_unit(0, 0.05))], [entry("a", per_unit(1, 0.06), 2)])
    document = json.loads(json.dumps(changes_document(found), allow_nan=False))
    assert document["came"] == document["went"] == document["superseded"] == []
    (value,) = document["values"]
    assert value["verdict"] in ("significant", "not significant")
    assert value["before"] == float(f"{np.mean(per_unit(0, 0.05)):.6g}")


def test_a_verdict_follows_p():
    shift = Shift("a", "eer", 0.1, 0.2, p=0.049)
    assert shift.verdict == "significant"
    assert Shift("a", "eer", 0.1, 0.2, p=0.05).verdict == "not significant"
