"""The cheapest plan: seeds as few as decide, entries as many as the hours hold."""

from __future__ import annotations

import shlex
from itertools import pairwise

import pytest

from harness.metrics.seed_spread import SeedSpread
from harness.records.record import RecordedComponent
from harness.run.job.spec import JobSpec
from harness.run.plan.durations import Duration
from harness.search.candidates import Candidate
from harness.search.power import Power
from harness.search.run_plan import command_lines, plan_runs, wanted_seeds


def component(name: str) -> RecordedComponent:
    return RecordedComponent(name=name, adapter="some.adapters:Thing", version=1, fields={})


def candidate(
    model: str,
    hours: float,
    *,
    loss: str = "aam",
    seeds: int = 5,
    done: int = 0,
    settings: tuple[str, ...] = (),
) -> Candidate:
    jobs = tuple(
        JobSpec.model_construct(model=component(model), loss=component(loss), seed=seed)
        for seed in range(seeds)
    )
    seconds = hours * 3600
    durations = tuple(
        Duration({"steps": seconds}, 0.0 if seed < done else seconds, "trial")
        for seed in range(seeds)
    )
    return Candidate(jobs, durations, 2**30, settings)


def test_all_wanted_seeds_are_run_where_there_is_time() -> None:
    each = [candidate("a", 1), candidate("b", 2, done=1)]
    plan = plan_runs(each, {"a + aam": 2, "b + aam": 2}, 4, {})
    assert plan.seeds == {"a + aam": 2, "b + aam": 2}
    assert (plan.seconds, plan.cut, plan.left_out) == (4 * 3600, False, {})


def test_fewer_seeds_come_before_fewer_entries() -> None:
    each = [candidate("a", 1), candidate("b", 2)]
    wanted = {"a + aam": 3, "b + aam": 3}
    plan = plan_runs(each, wanted, 6, {})
    assert plan.seeds == {"a + aam": 2, "b + aam": 2}
    assert plan.cut
    plan = plan_runs(each, wanted, 2, {})
    assert plan.seeds == {"a + aam": 1}
    assert plan.left_out == {"b + aam": "takes 2.0 h, and 60 min are left for it"}
    assert plan.whole == 3 * 3600
    plan = plan_runs(each, wanted, 0.5, {})
    assert plan.seeds == {}
    assert plan.left_out["a + aam"] == "takes 60 min, and 30 min are left for it"
    assert plan.left_out["b + aam"] == "takes 2.0 h, and 30 min are left for it"
    assert plan_runs(each, wanted, 0.5, {}, packing=3600).left_out["a + aam"] == (
        "takes 60 min, and nothing is left for it"
    )


def test_reading_the_data_takes_of_the_time_and_reasons_stay() -> None:
    each = [candidate("a", 1), candidate("b", 1)]
    plan = plan_runs(each, {"a + aam": 1}, 1.5, {"b + aam": "does not fit"}, packing=1800)
    assert plan.seeds == {"a + aam": 1}
    assert plan.seconds == 1.5 * 3600
    assert plan.left_out == {"b + aam": "does not fit"}


def test_untested_entries_have_the_seeds_that_are_worth_it() -> None:
    each = [candidate("a", 1), candidate("b", 1, seeds=2)]
    assert wanted_seeds(each, (), None) == {"a + aam": 1, "b + aam": 1}
    noisy = Power(0.004, 49, SeedSpread(0.1, freedom=8), typical=0.06)
    assert noisy.worthwhile_seeds == 4
    assert wanted_seeds(each, (), noisy) == {"a + aam": 2, "b + aam": 2}  # no more were planned


@pytest.mark.parametrize("others", [(), ("--config", "a b.toml")])
def test_command_lines_run_the_plan_and_nothing_else(others: tuple[str, ...]) -> None:
    each = [
        candidate("a", 1),
        candidate("b", 1),
        candidate("b", 1, loss="ghm"),
        candidate("c", 1, settings=("micro_batch=8",)),
        candidate("d", 1, done=2),
    ]
    seeds = {"a + aam": 2, "b + aam": 2, "b + ghm": 1, "c + aam": 2, "d + aam": 2}
    lines = command_lines(each, seeds, ["--suite", "speaker", *others])
    words = [shlex.split(line) for line in lines]
    assert all(line[:4] == ["harness", "run", "--suite", "speaker"] for line in words)
    run = set()
    for line in words:
        options = list(pairwise(line))
        named = {key: [value for at, value in options if at == key] for key, _ in options}
        (numbers,) = named["--seeds"]
        run |= {
            (model, loss, seed, *named.get("--set", []))
            for model in named["--model"]
            for loss in named["--loss"]
            for seed in numbers.split(",")
        }
    assert run == {
        *(("a", "aam", seed) for seed in "01"),
        *(("b", "aam", seed) for seed in "01"),
        ("b", "ghm", "0"),
        *(("c", "aam", seed, "micro_batch=8") for seed in "01"),
    }
