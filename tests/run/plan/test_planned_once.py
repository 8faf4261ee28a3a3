"""A call is planned once: each adapter is made once, and the jobs are completed by opened data."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.config.loader import load
from harness.datasets.dataset import open_dataset
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.jobs import plan_suite
from harness.run.plan.request import DatasetState, RunRequest, listing_states
from harness.run.session import find_datasets
from tests.tiny import TinyBenchmark, make_tiny

pytestmark = pytest.mark.usefixtures("preloaded_workers")

COUNTED = '''
"""Adapters that add a line to a file each time they are made."""

from dataclasses import dataclass

from adapters.losses import AamSoftmax
from tiny_models import Tiny


def note(made):
    with open({place!r}, "a") as file:
        file.write(repr(made) + "\\n")


@dataclass(frozen=True, kw_only=True)
class CountedModel(Tiny):
    def __post_init__(self):
        note(self)


@dataclass(frozen=True, kw_only=True)
class CountedLoss(AamSoftmax):
    def __post_init__(self):
        note(self)
'''

TABLES = """
[models.counted]
adapter = "counted_adapters:CountedModel"

[losses.one]
adapter = "counted_adapters:CountedLoss"
scale = 10.0

[losses.two]
adapter = "counted_adapters:CountedLoss"
scale = 20.0

[losses.three]
adapter = "counted_adapters:CountedLoss"
scale = 30.0

[losses.of_no_suite]
adapter = "counted_adapters:CountedLoss"
scale = 40.0

[suites.counted]
title = "Counted"
task = "harness.tasks.verification:Verification"
datasets = ["voices"]
models = ["counted"]
losses = ["one", "two", "three"]
profiles.quick = { recipe = "short" }
"""


def counted(folder: Path) -> TinyBenchmark:
    tiny = make_tiny(folder / "own")
    (tiny.folder / "counted_adapters.py").write_text(COUNTED.format(place=str(folder / "made")))
    tiny.config.write_text(tiny.config.read_text() + TABLES)
    return tiny


def test_planning_three_entries_makes_each_adapter_once(tmp_path: Path) -> None:
    tiny = counted(tmp_path)
    WORKERS.close()
    loaded = load(tiny.config)
    request = RunRequest(suite="counted", profile="quick", runs=tiny.runs, device="cpu", threads=1)
    here, _ = find_datasets(loaded, request)
    plan = plan_suite(loaded, request, listing_states(loaded, here))
    before = (tmp_path / "made").read_text().splitlines()
    opened = open_dataset(loaded, here[0], request.cache)
    state = DatasetState(here[0], opened.lock, opened.left_out, opened.pinned)
    jobs = plan.jobs({"voices": state})
    made = (tmp_path / "made").read_text().splitlines()
    WORKERS.close()

    assert [job.loss.name if job.loss else None for job in jobs] == [None, "one", "two", "three"]
    assert len(list((request.cache / "predictions").glob("*.json"))) == 4, "all was predicted"
    assert len(made) == len(set(made)) == 4, "the model and the suite's three losses"
    assert made == before, "completing the jobs runs no adapter's code"


def test_jobs_of_listed_data_are_those_of_opened_data_but_for_its_content(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path / "own")
    loaded = load(tiny.config)
    request = RunRequest(suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1)
    here, _ = find_datasets(loaded, request)
    states = listing_states(loaded, here)
    plan = plan_suite(loaded, request, states)
    listed = plan.jobs(states)
    opened = open_dataset(loaded, here[0], request.cache)
    known = dataclasses.replace(states["voices"], lock=opened.lock, opened=True)
    completed = plan.jobs({"voices": known})
    for before, after in zip(listed, completed, strict=True):
        assert (before.model, before.loss, before.recipe) == (after.model, after.loss, after.recipe)
        assert before.dataset.lock != after.dataset.lock == opened.lock.digest
    trained = completed[1].train
    assert trained is not None
    assert trained.inputs["dataset"]["content"] == opened.lock.content  # type: ignore[index]
