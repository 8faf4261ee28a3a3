"""What a choice says in words."""

from __future__ import annotations

from harness.metrics.seed_spread import SeedSpread
from harness.run.job.spec import JobSpec
from harness.search.candidates import Candidate
from harness.search.choice_text import sentences, table
from harness.search.choose import EntryChoice, Known
from harness.search.power import Power
from harness.search.run_plan import plan_runs
from tests.board.conftest import FACTS, make_data, make_protocol
from tests.search.test_run_plan import candidate


def choice(hours: float, spread: SeedSpread | None = None) -> EntryChoice:
    """Two entries of one hour and of two, on a test of 24 speakers."""
    each = tuple(map(in_place, (candidate("a", 1), candidate("b", 2))))
    wanted = {entry.title: 1 for entry in each}
    plan = plan_runs(each, wanted, hours, {})
    known = Known(Power(0.01, 23, spread, typical=0.06), "3 entries tested on it")
    outlooks = {entry.title: () for entry in each}
    return EntryChoice(each, known, outlooks, {}, wanted, plan, FACTS["eer"], 0.0)


def in_place(entry: Candidate) -> Candidate:
    """The candidate with its data and rules."""
    more = {"dataset": make_data(), "protocol": make_protocol()}
    jobs = tuple(JobSpec.model_construct(**{**vars(job), **more}) for job in entry.jobs)
    return Candidate(jobs, entry.durations, entry.memory)


def test_without_a_spread_of_seeds_nothing_is_said_about_their_number() -> None:
    first, second, *_ = sentences(choice(9))
    assert first == (
        "By 3 entries tested on it, 24 speakers tell differences of EER above 2.07 points apart, "
        "and a difference of 2.93 points is found 8 times in 10."
    )
    assert "what seeds add to that is not known" in second
    told = next(sentences(choice(9, SeedSpread(0.15, freedom=10))))
    assert "apart with 1 seed an entry, above 2.07 points with any number" in told


def test_an_entry_that_is_left_alone_is_told_with_what_all_would_take() -> None:
    short = choice(1.5)
    *_, plan, alone, whole = sentences(short)
    assert plan == "Cheapest plan: 1 entry, about 60 min, by the commands below."
    assert alone == "One entry alone is compared with nothing but the baseline."
    assert whole == "One seed of every entry that fits would take 3.0 h."
    assert [row[-1] for row in table(short)] == ["", "takes 2.0 h, and 30 min are left for it"]
    *_, plan = sentences(choice(9))
    assert plan == "Cheapest plan: 2 entries, about 3.0 h, by the commands below."
