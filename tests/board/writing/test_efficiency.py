"""Which entries are on which front, who is missing, and what is said of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.efficiency import efficiencies
from harness.board.writing.json_document import document_text
from harness.board.writing.markdown import section
from harness.records.costs import Memory, Resources
from harness.records.record import Metric, MetricFacts, Record

COSTS = ("training_memory", "inference_per_second", "latency_p50")


def held(gib: float | None, speed: float | None, latency: float | None, **more: Any) -> Resources:
    kind = more.pop("counted", "gpu")
    memory = Memory(bytes=int(gib * 2**30), counted=kind) if gib else None
    return Resources(
        training_memory=memory, inference_per_second=speed, latency_p50=latency, **more
    )


def made(*records: Record) -> Table:
    (table,) = tables(FiledRecord(record) for record in records)
    return table


def shown(table: Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(document_text([table]))["tables"][0]["efficiency"]
    return found


def fronts(table: Table) -> dict[str, list[str]]:
    """Cost -> the models on its front."""
    return {
        each["cost"]: [p["entry"].split(" ")[0] for p in each["points"] if p["front"]]
        for each in shown(table)
    }


@pytest.fixture
def four(make) -> list[Record]:
    """`best` is dear, `cheap` is small, `quick` is fast, `dull` is beaten by `cheap` in all."""
    return [
        make("best", value=0.05, resources=held(4, 100, 0.04)),
        make("cheap", value=0.08, resources=held(1, 100, 0.02)),
        make("quick", value=0.09, resources=held(2, 300, 0.01)),
        make("dull", value=0.10, resources=held(1, 90, 0.02)),
    ]


def test_the_front_of_each_cost(four):
    assert fronts(made(*four)) == {
        "training_memory": ["best", "cheap"],
        "inference_per_second": ["best", "quick"],
        "latency_p50": ["best", "cheap", "quick"],
    }


def test_facts_say_which_way_the_metric_is_better(four, protocol):
    facts = {"eer": MetricFacts(title="accuracy", unit="%", higher_is_better=True)}
    rules = protocol(facts=facts)
    turned = made(*(each.model_copy(update={"protocol": rules}) for each in four))
    assert fronts(turned) == {
        "training_memory": ["dull"],
        "inference_per_second": ["dull", "quick"],
        "latency_p50": ["dull", "quick"],
    }


def test_the_published_numbers_alone_give_the_front(several, four):
    for table in (made(*several), made(*four)):
        assert shown(table)
        for each in shown(table):
            sign = -1 if each["higher_is_better"] else 1
            points = [(p["value"], sign * p["cost"]) for p in each["points"]]
            assert len(points) > 1
            beaten = [any(o != p and o[0] <= p[0] and o[1] <= p[1] for o in points) for p in points]
            assert beaten == [not p["front"] for p in each["points"]]


def test_what_is_the_same_as_published_is_a_tie(make):
    # The mean of three seeds and one seed of the same rate differ in their last bits.
    seeds = [
        make("a", value=value, seed=seed, resources=held(1, 10, 0.1))
        for seed, value in enumerate((0.1, 0.2, 0.3))
    ]
    table = made(*seeds, make("b", value=0.2, resources=held(1, 10 * (1 + 1e-9), 0.1)))
    assert fronts(table) == {cost: ["a", "b"] for cost in COSTS}


def test_who_has_no_figure_is_named(make, four):
    failed = make("gone", state="oom", reason="out of memory", metrics={}, resources=held(1, 1, 1))
    baseline = make("mean", None, value=0.3, seed=None, resources=held(0.1, 9999, 1e-6))
    half = make("half", value=0.01, resources=held(None, 200, None))
    guessed = make("guess", value=0.02, resources=held(0.5, None, 0.03, counted="predicted"))
    unjudged = make("other", metrics={"min_dcf": Metric(value=0.1, unit="")}, left_one_out={})
    table = made(*four, failed, baseline, half, guessed, unjudged)
    missing = {each["cost"]: sorted(each["missing"]) for each in shown(table)}
    never = ["gone + aam", "mean (no training)", "other + aam"]
    assert missing == {
        "training_memory": sorted([*never, "half + aam", "guess + aam"]),
        "inference_per_second": sorted([*never, "guess + aam"]),
        "latency_p50": sorted([*never, "half + aam"]),
    }
    text = section(table)
    (said,) = [
        line for line in text.splitlines() if line.startswith("- Without any of these costs")
    ]
    assert all(name.replace("_", r"\_") in said for name in never)
    assert "half" not in said


def test_a_failed_seed_of_an_entry_with_results_is_not_missing(make, four):
    failed = make("best", seed=1, state="failed", reason="loss became NaN", metrics={})
    missing = [each["missing"] for each in shown(made(*four, failed))]
    assert missing == [[]] * len(missing) != []


def test_times_taken_beside_other_programs_are_not_on_a_front(make, four):
    crowded = make("crowd", value=0.01, resources=held(9, 999, 0.001, measuring_cpu_wait=0.5))
    found = {each["cost"]: each for each in shown(made(*four, crowded))}
    assert found["latency_p50"]["missing"] == ["crowd + aam"]
    assert "crowd" in fronts(made(*four, crowded))["training_memory"]


def test_a_claim_is_on_no_front(make, four):
    told = make("told", value=0.001, trust="claimed", resources=held(0.1, 9999, 1e-6))
    assert fronts(made(*four, told)) == fronts(made(*four))


def test_costs_that_nobody_vouched_for_take_no_mark_away(make, four):
    sent = make("sent", value=0.001, trust="rescored", resources=held(0.1, 9999, 1e-6))
    assert fronts(made(*four, sent)) == {
        cost: ["sent", *names] for cost, names in fronts(made(*four)).items()
    }
    assert "Of rows that are rescored, nobody vouched for costs" in section(made(*four, sent))
    alike = [each.model_copy(update={"trust": "rescored"}) for each in (*four, sent)]
    assert set(map(tuple, fronts(made(*alike)).values())) == {("sent",)}
    assert "nobody vouched" not in section(made(*alike))


def test_one_entry_is_compared_with_nobody(make, four):
    assert efficiencies(made(four[0])) == []
    assert "Efficiency" not in section(made(four[0]))
    alone = made(four[0], make("b", resources=held(None, 5, None)))
    assert [each["cost"] for each in shown(alone)] == ["inference_per_second"]


def test_environments_are_never_compared(make, four):
    there = [
        make("best", seed=1, value=0.05, device="RTX 3060", resources=held(3, 9, 0.4)),
        make("slow", value=0.2, device="RTX 3060", resources=held(9, 5, 0.9)),
        make("alone", value=0.2, device="RTX 4090", resources=held(9, 5, 0.9)),
    ]
    table = made(*four, *there)
    assert [each.name.split(",")[0] for each in efficiencies(table)] == ["NVIDIA H200", "RTX 3060"]
    _, on_h200, on_rtx = section(table).split(
        "<summary>Efficiency: which entries no other beats, on "
    )
    assert "slow" not in on_h200.split("Without")[0]
    assert "cheap" not in on_rtx.split("Without")[0]


def test_costs_of_unknown_environments_are_not_compared(four):
    unknown = {"environment": None, "environment_digest": ""}
    assert shown(made(*(each.model_copy(update=unknown) for each in four))) == []


def test_the_page_marks_the_front_and_says_what_that_is_worth(four):
    lines = section(made(*four)).split("<summary>Efficiency")[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    assert rows[0][2:] == [
        "peak training memory (GiB) ↓",
        "embedding (items/s) ↑",
        "latency p50 (ms) ↓",
    ]
    assert [row[2:] for row in rows[2:]] == [
        ["● 4.00", "● 100", "● 40.0"],
        ["● 1.00", "100", "● 20.0"],
        ["2.00", "● 300", "● 10.0"],
        ["1.00", "90.0", "20.0"],
    ]
    assert "a mark says nothing about significance (ranks do)" in "\n".join(lines)
