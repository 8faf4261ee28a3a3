"""Which jobs a call has, and what tells them apart."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.cli.options import parse_setting
from harness.config.loader import load
from harness.config.schema import Exclusion
from harness.config.tables import Component
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, DataError
from harness.measure.environment import environment
from harness.run.plan.adapter_workers import adapter_facts
from harness.run.plan.jobs import plan_jobs
from harness.run.plan.request import EVERY_BUDGET, RunRequest, listing_state, suite_entries
from harness.tasks.classification import Classification

BENCHMARK = """
[datasets.digits]
adapter = "harness.data.corpora.digits:Digits"
licence = "CC-BY-4.0"
split = { seed = 0, validation = 200, test = 500 }

[models.small]
adapter = "adapters.timm:Timm"
network = "resnet10t"

[losses.aam]
adapter = "adapters.losses:AamSoftmax"

[recipes.short]
steps = 2
schedules.margin = { end = 0.5 }

[suites.s]
title = "S"
task = "harness.tasks.classification:Classification"
datasets = ["digits"]
models = ["small"]
losses = ["aam"]
profiles.quick = { recipe = "short" }
"""


@pytest.fixture
def loaded(tmp_path: Path):
    path = tmp_path / "mine.toml"

    def write(old: str = "", new: str = ""):
        path.write_text(BENCHMARK.replace(old, new) if old else BENCHMARK, encoding="utf-8")
        return load(path)

    return write


def request(tmp_path: Path, **changes) -> RunRequest:
    plain = RunRequest(suite="s", profile="quick", runs=tmp_path, device="cpu", threads=1)
    return dataclasses.replace(plain, **changes)


def jobs(benchmark, asked: RunRequest, left_out: tuple[str, ...] = ()):
    source = listing_state(benchmark, list_dataset(benchmark, "digits", "quick"))
    return plan_jobs(benchmark, asked, {"digits": dataclasses.replace(source, left_out=left_out)})


def test_which_items_were_left_out_is_in_every_key(loaded, tmp_path):
    benchmark, asked = loaded(), request(tmp_path)
    whole, one = jobs(benchmark, asked)[1], jobs(benchmark, asked, ("digit0001",))[1]
    other = jobs(benchmark, asked, ("digit0002",))[1]
    assert len({job.train.key for job in (whole, one, other)}) == 3
    assert len({job.evaluate("c").key for job in (whole, one, other)}) == 3


def test_another_judgement_evaluates_again_and_trains_again_only_if_validation_differs(
    loaded, tmp_path, monkeypatch
):
    benchmark, asked = loaded(), request(tmp_path)
    before = jobs(benchmark, asked)[1]
    monkeypatch.setattr(Classification, "version", Classification.version + 1)
    judged = jobs(benchmark, asked)[1]
    assert judged.train.key == before.train.key
    assert judged.evaluate("c").key != before.evaluate("c").key
    monkeypatch.setattr(Classification, "validation_version", 2)
    assert jobs(benchmark, asked)[1].train.key != before.train.key


def test_the_optimiser_is_in_the_key_of_measuring(loaded, tmp_path):
    plain, sgd = (
        jobs(loaded(), request(tmp_path, settings=settings))[1]
        for settings in ({}, {"optimizer.name": "sgd"})
    )
    assert plain.measure.key != sgd.measure.key


def test_a_gpus_arithmetic_is_in_keys_and_environment(loaded, tmp_path, monkeypatch):
    here = environment("cpu", 1)
    monkeypatch.setattr("harness.run.plan.protocol.environment", lambda *_: here)

    def job(device, **settings):
        return jobs(loaded(), request(tmp_path, device=device, settings=settings))[1]

    plain, rounded = job("cuda"), job("cuda", tf32=True)
    loose = job("cuda", **dict([parse_setting("deterministic=false")]))
    assert (plain.recipe.tf32, plain.recipe.deterministic) == (False, True)
    assert loose.recipe.deterministic is False
    assert loose.environment.arithmetic["training"] == "float32, not deterministic"
    each = (plain, rounded, loose)
    assert len({job.train.key for job in each}) == len({job.measure.key for job in each}) == 3
    assert len({job.evaluate("c").key for job in each}) == 1, "all are judged in float32"
    same = job("cuda", tf32=False, deterministic=True)
    assert same.train.key == plain.train.key
    assert same.measure.key == plain.measure.key
    on_processor = job("cpu", tf32=True)
    assert on_processor.environment == here
    assert on_processor.measure.key == job("cpu").measure.key


def test_a_schedule_that_drives_nothing_is_refused(loaded, tmp_path):
    benchmark = loaded("schedules.margin", "schedules.margni")
    with pytest.raises(ConfigError, match=r"recipes.short.schedules.margni: .*'margin'"):
        jobs(benchmark, request(tmp_path))


def test_labels_that_nobody_could_learn_are_refused_before_training(loaded, tmp_path):
    benchmark = loaded()
    listing = list_dataset(benchmark, "digits", "quick")
    strange = listing.items["label"].where(listing.items["split"] != "validation", "ten")
    source = listing_state(benchmark, listing)
    changed = dataclasses.replace(listing, items=listing.items.assign(label=strange))
    wrong = {"digits": dataclasses.replace(source, listing=changed)}
    with pytest.raises(DataError, match="digits: validation: labels that training has not: ten"):
        plan_jobs(benchmark, request(tmp_path), wrong)


def test_a_dataset_without_trials_is_refused_where_items_are_compared(loaded, tmp_path):
    task = ("classification:Classification", "verification:Verification")
    with pytest.raises(ConfigError, match=r"datasets\.digits: brings no trials; give `trials = N`"):
        jobs(loaded(*task), request(tmp_path))


def test_what_is_left_out_must_leave_both_kinds_of_trials(loaded, tmp_path):
    benchmark = loaded("classification:Classification", "verification:Verification")
    text = benchmark.path.read_text()
    benchmark.path.write_text(text.replace('licence = "CC-BY-4.0"', 'licence = ""\ntrials = 99999'))
    benchmark = load(benchmark.path)
    source = listing_state(benchmark, list_dataset(benchmark, "digits", "quick"))
    tested = source.listing.split_items("test")
    of_one = tuple(tested["id"][tested["label"] != "7"])
    damaged = dataclasses.replace(source, left_out=of_one, opened=True)
    with pytest.raises(DataError, match="digits: trials need targets and nontargets both"):
        plan_jobs(benchmark, request(tmp_path), {"digits": damaged})


def test_a_dataset_has_seeds_of_its_own_where_a_profile_gives_them(loaded, tmp_path):
    given = 'recipe = "short", seeds = [3, 4], seeds_on.digits = [7]'
    asked = request(tmp_path)
    suite = loaded('recipe = "short"', given).suite("s")
    assert [choice.seed for choice in suite_entries(suite, asked, "digits")] == [7]
    assert [choice.seed for choice in suite_entries(suite, asked, "letters")] == [3, 4]
    chosen = request(tmp_path, seeds=(5,))
    assert [choice.seed for choice in suite_entries(suite, chosen, "digits")] == [5]


def test_seeds_on_a_dataset_that_the_suite_lacks_are_refused(loaded):
    with pytest.raises(ConfigError, match=r"seeds_on: the suite has no dataset 'digit'"):
        loaded('recipe = "short"', 'recipe = "short", seeds_on.digit = [7]')


BUDGETS = 'recipe = "short", seeds = [0, 1], budgets = [64, 128]'
"""The recipe's own length, 2 steps of 32, and twice as much."""


def test_each_budget_is_a_recipe_of_its_own_length_and_the_own_one_keeps_its_job(loaded, tmp_path):
    (before,) = [job for job in jobs(loaded(), request(tmp_path)) if job.seed == 0]
    asked = request(tmp_path, budgets=EVERY_BUDGET)
    made = [job for job in jobs(loaded('recipe = "short"', BUDGETS), asked) if job.seed is not None]
    told = [(job.recipe_name, job.recipe.steps, job.seed) for job in made]
    assert told == [
        ("short", 2, 0),
        ("short", 2, 1),
        ("short at 128 crops", 4, 0),
        ("short at 128 crops", 4, 1),
    ]
    assert made[0].train.key == before.train.key
    assert made[2].train.key != before.train.key
    assert [job.title for job in made[::2]] == [
        "digits: small + aam, short, seed 0",
        "digits: small + aam, short at 128 crops, seed 0",
    ]
    assert before.title == "digits: small + aam, seed 0"
    assert len({job.folder for job in made}) == 4


def test_a_call_takes_the_budgets_that_it_names_else_the_recipes_own_length(loaded, tmp_path):
    suite = loaded('recipe = "short"', BUDGETS).suite("s")

    def budgets(**changes):
        found = suite_entries(suite, request(tmp_path, **changes), "digits")
        return [choice.budget for choice in found if choice.seed == 0]

    assert budgets() == [None]
    assert budgets(budgets=EVERY_BUDGET) == [64, 128]
    assert budgets(budgets=(128,)) == [128]
    assert budgets(budgets=(128,), settings={"optimizer.lr": 0.1}) == [128]
    with pytest.raises(ConfigError, match=r"no budget of 96 crops on digits .* there are: 64, 128"):
        budgets(budgets=(96,))
    with pytest.raises(ConfigError, match="--budget gives the length of training; leave out"):
        budgets(budgets=(64,), settings={"epochs": 5})


def test_budgets_that_cannot_be_meant_are_refused(loaded, tmp_path):
    odd = loaded('recipe = "short"', 'recipe = "short", budgets = [100]')
    with pytest.raises(ConfigError, match=r"100 crops are no whole number .* give 96 or 128"):
        jobs(odd, request(tmp_path, budgets=EVERY_BUDGET))
    with pytest.raises(ConfigError, match="name each once, the smallest first"):
        loaded('recipe = "short"', 'recipe = "short", budgets = [64, 32]')
    with pytest.raises(ConfigError, match=r"budgets_on: the suite has no dataset 'digit'"):
        loaded('recipe = "short"', 'recipe = "short", budgets_on.digit = [64]')


def test_an_entry_that_is_left_out_is_refused_when_asked_for(loaded, tmp_path):
    rule = Exclusion(model="small", reason="does not fit")
    suite = loaded().suite("s").model_copy(update={"exclude": (rule,)})
    assert list(suite_entries(suite, request(tmp_path), "digits")) == []
    with pytest.raises(ConfigError, match=r"leaves small \+ aam out: does not fit"):
        list(suite_entries(suite, request(tmp_path, models=("small",)), "digits"))


GROWN = """
from dataclasses import dataclass, field
from harness.adapter import ADDED

@dataclass(frozen=True, kw_only=True)
class Grown:
    size: int = 8
    window: str = field(default="hamming", metadata=ADDED)
    version = 1
"""


def test_a_field_that_was_added_later_is_left_out_while_nobody_uses_it(loaded, tmp_path):
    (tmp_path / "grown_adapters.py").write_text(GROWN)
    loaded()

    def fields(**given: str) -> dict[str, object]:
        table = Component(adapter="grown_adapters:Grown", **given)
        return adapter_facts("models", "grown", table).component.fields

    assert fields() == {"size": 8}
    assert fields(window="hamming") == {"size": 8}, "the same network, however it was asked for"
    assert fields(window="povey") == {"size": 8, "window": "povey"}
