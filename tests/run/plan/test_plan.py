"""What a call would run, read off the disk; plans run nothing."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.config.loader import load
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, RequestError
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.run.job.record_writing import build_failure, write_attempt
from harness.run.job.spec import JobSpec
from harness.run.plan import status as plan_status
from harness.run.plan.jobs import plan_checkpoint
from harness.run.plan.request import CheckpointEntry, RunRequest, listing_state
from harness.run.plan.status import EarlierRuns, StageStatus, job_status
from harness.series.series_file import FILE as SERIES
from harness.train.training_progress import RESUME
from tests.tiny import TinyBenchmark, planned_jobs

pytestmark = pytest.mark.usefixtures("preloaded_workers")

CACHED = StageStatus("cached")


def request_of(tiny: TinyBenchmark, **changes: Any) -> RunRequest:
    """The call that was made already, with changes."""
    threads = tiny.record("tiny", 0)["environment"]["threads"]
    first = RunRequest(
        suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=threads,
        losses=("aam",), seeds=(0, 7),
    )  # fmt: skip
    return dataclasses.replace(first, **changes)


def jobs_of(tiny: TinyBenchmark, **changes: Any) -> list[JobSpec]:
    return planned_jobs(load(tiny.config), request_of(tiny, **changes))


def test_what_was_run_is_cached_and_a_plan_leaves_nothing(tiny: TinyBenchmark) -> None:
    files = set(tiny.folder.rglob("*"))
    baseline, *entries = (job_status(job, EarlierRuns()) for job in jobs_of(tiny))
    assert baseline == {
        "train": StageStatus("none"),
        "evaluate": CACHED,
        "measure": StageStatus("none"),
    }
    assert entries == [{"train": CACHED, "evaluate": CACHED, "measure": CACHED}] * 2
    assert set(tiny.folder.rglob("*")) == files


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ({"steps": 6}, "recipe.steps"),
        ({"optimizer.lr": 0.5, "batch": 4}, "recipe.batch, recipe.optimizer.lr"),
        ({"schedules.margin.end": 0.9}, "recipe.schedules.margin.end"),
    ],
)
def test_a_changed_recipe_is_named(
    tiny: TinyBenchmark, settings: dict[str, Any], changed: str
) -> None:
    _, job, _ = jobs_of(tiny, settings=settings)
    status = job_status(job, EarlierRuns())
    assert status["train"] == StageStatus("to run", f"changed: {changed}")
    assert status["evaluate"] == StageStatus("to run", "no checkpoint yet")


def test_a_change_in_the_file_is_named(tiny: TinyBenchmark) -> None:
    tiny.edit("steps = 12", "steps = 14")
    _, job, _ = jobs_of(tiny)
    assert job_status(job, EarlierRuns())["train"] == StageStatus("to run", "changed: recipe.steps")


def test_another_seed_and_another_loss(tiny: TinyBenchmark) -> None:
    _, other_seed = jobs_of(tiny, seeds=(3,))
    _, other_loss = jobs_of(tiny, seeds=(0,), losses=("softmax",))
    assert job_status(other_seed, EarlierRuns())["train"] == StageStatus("to run", "changed: seed")
    assert job_status(other_loss, EarlierRuns())["train"] == StageStatus("to run", "never run")


@pytest.mark.parametrize(
    ("threads", "arenas", "changed"),
    [({"threads": 9}, None, "threads"), ({}, "2", "allocator.MALLOC_ARENA_MAX")],
)
def test_another_environment_measures_again(
    tiny: TinyBenchmark,
    monkeypatch: pytest.MonkeyPatch,
    threads: dict[str, int],
    arenas: str | None,
    changed: str,
) -> None:
    if arenas:
        monkeypatch.setenv("MALLOC_ARENA_MAX", arenas)
    _, job, _ = jobs_of(tiny, **threads)
    again = StageStatus("to run", f"changed: environment.{changed}")
    assert job_status(job, EarlierRuns()) == {"train": CACHED, "evaluate": CACHED, "measure": again}


def test_a_failed_attempt_is_told(tiny: TinyBenchmark) -> None:
    job = jobs_of(tiny)[1]
    shutil.rmtree(tiny.runs / "stages")
    write_attempt(job, build_failure(job, "failed", "loss became nan at step 5"), None)
    told = StageStatus("to run", "failed before: loss became nan at step 5")
    assert job_status(job, EarlierRuns())["train"] == told


def test_a_record_that_stands_needs_no_stages(tiny: TinyBenchmark) -> None:
    shutil.rmtree(tiny.runs / "stages")
    status = job_status(jobs_of(tiny)[1], EarlierRuns())
    assert status == {"train": CACHED, "evaluate": CACHED, "measure": CACHED}


@pytest.mark.parametrize("last", ["", '{"step": 6, "train": {"Loss": 1.0}', '{"step": 6, "tr'])
def test_a_log_that_was_cut_short(tiny: TinyBenchmark, last: str) -> None:
    tiny.forget("tiny", 7)
    job = jobs_of(tiny)[2]
    assert job.train is not None
    folder = job.stage_folder("train", job.train.key)
    folder.mkdir()
    (folder / SERIES).write_text(
        '{"step": 2, "resume_point": true}\n{"step": 4, "resume_point": true}\n' + last
    )
    assert job_status(job, EarlierRuns())["train"].state == "to run", (
        "there is nothing to go on from"
    )
    (folder / RESUME).touch()
    assert job_status(job, EarlierRuns())["train"] == StageStatus("resumes", "stopped after step 4")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"stage": 3}', "half a docum"])
def test_a_damaged_result_is_to_be_made_again(tiny: TinyBenchmark, content: str) -> None:
    record = tiny.forget("tiny", 7)
    folder = tiny.stage(record, "train")
    folder.mkdir()
    (folder / "result.json").write_text(content)
    assert job_status(jobs_of(tiny)[2], EarlierRuns())["train"].state == "to run"
    assert (folder / "result.json").read_text() == content, "planning changes nothing"


def test_the_baseline_comes_first_and_once_a_dataset(tiny: TinyBenchmark) -> None:
    jobs = jobs_of(tiny, losses=(), models=("tiny", "tiny"))
    assert [job.is_baseline for job in jobs] == [True, False, False, False, False]
    assert len({job.digest for job in jobs}) == len(jobs)


def test_exclusions_leave_entries_out(tiny: TinyBenchmark) -> None:
    rule = 'exclude = [{ model = "tiny", loss = "softmax", reason = "too slow" }]'
    tiny.edit('title = "Our own suite"', f'title = "Our own suite"\n{rule}')
    assert {job.loss.name for job in jobs_of(tiny, losses=()) if job.loss} == {"aam"}


ENTRIES = """entries = [
    { model = "tiny", loss = "aam", recipe = "half" },
    { model = "tiny", loss = "softmax" },
]"""
HALF = "[recipes.half]\nsteps = 6\ncrop_seconds = 0.3\n"


def with_entries(tiny: TinyBenchmark) -> TinyBenchmark:
    tiny.edit('models = ["tiny"]', ENTRIES)
    tiny.edit('losses = ["aam", "softmax"]\nprofiles.quick', "profiles.quick")
    tiny.edit("[suites.own]", f"{HALF}\n[suites.own]")
    return tiny


def test_entries_name_pairs_and_recipes_of_their_own(tiny: TinyBenchmark) -> None:
    found = jobs_of(with_entries(tiny), losses=())
    told = {
        (job.loss.name, job.recipe_name, job.recipe.steps)
        for job in found
        if job.loss and job.recipe
    }
    assert told == {("aam", "half", 6), ("softmax", "short", 12)}


def test_a_pair_that_is_no_entry_is_refused(tiny: TinyBenchmark) -> None:
    with_entries(tiny).edit('{ model = "tiny", loss = "softmax" },', "")
    with pytest.raises(ConfigError, match=r"no loss 'softmax'; .*aam"):
        jobs_of(tiny, losses=("softmax",))


def test_overrides_change_what_they_match(tiny: TinyBenchmark) -> None:
    tiny.edit(
        "[suites.faulty]",
        '[[suites.own.overrides]]\nloss = "softmax"\nset = { steps = 3 }\n\n[suites.faulty]',
    )
    steps = {
        job.loss.name: job.recipe.steps
        for job in jobs_of(tiny, losses=())
        if job.recipe and job.loss
    }
    assert steps == {"aam": 12, "softmax": 3}


@pytest.mark.parametrize(
    "name", ["../x", "../../x", "a b", "a/b", "..", "x" * 300, "模" * 100, "a\\b", "a\nb"]
)
def test_a_run_stays_in_its_folder_whatever_its_name(tiny: TinyBenchmark, name: str) -> None:
    _, job, _ = jobs_of(tiny)
    odd = job.model_copy(update={"model": job.model.model_copy(update={"name": name})})
    place = odd.folder
    assert len(place.resolve().relative_to(tiny.runs.resolve()).parts) == 4
    place.mkdir(parents=True)
    assert place in set(tiny.runs.resolve().glob("*/*/*/*"))


def test_a_changed_copy_of_a_job_has_keys_and_a_folder_of_its_own(tiny: TinyBenchmark) -> None:
    job = jobs_of(tiny)[1]
    before = job.digest, job.folder, job.train, job.measure
    trained = {**(job.train_inputs or {}), "seed": 5}
    other = job.model_copy(update={"seed": 5, "memory_limit": 2, "train_inputs": trained})
    assert (job.digest, job.folder, job.train, job.measure) == before
    changed = other.digest, other.folder, other.train, other.measure
    assert all(new != old for new, old in zip(changed, before, strict=True))


def test_the_records_of_a_call_are_read_once(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def counted(path: Path) -> Record:
        read.append(path)
        return read_record(path)

    monkeypatch.setattr(plan_status, "read_record", counted)
    earlier, jobs = EarlierRuns(), jobs_of(tiny, settings={"steps": 5})[1:]
    assert len(jobs) > 1
    for job in jobs:
        assert job_status(job, earlier)["train"] == StageStatus("to run", "changed: recipe.steps")
    assert len(read) == len(set(read)) == 3


def test_a_checkpoint_needs_a_file_and_a_model(tiny: TinyBenchmark) -> None:
    loaded, request = load(tiny.config), request_of(tiny)
    here = {"voices": listing_state(loaded, list_dataset(loaded, "voices", "quick"))}
    with pytest.raises(RequestError, match="no such checkpoint"):
        plan_checkpoint(loaded, request, here, CheckpointEntry(tiny.folder / "no.pt", "tiny"))
    with pytest.raises(ConfigError, match="did you mean 'tiny'"):
        plan_checkpoint(loaded, request, here, CheckpointEntry(tiny.config, "tinyy"))


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_fast_precision_is_a_choice_of_the_plan(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    monkeypatch.setattr("harness.run.plan.resolved.fast_precision", lambda device: precision)
    _, *entries = jobs_of(tiny, settings={"precision": "auto"})
    assert {job.recipe.precision for job in entries if job.recipe} == {precision}
