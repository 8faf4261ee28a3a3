"""Jobs that rest on others (a teacher, members of an ensemble), and trainings that are cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from harness.config.loader import load
from harness.errors import ConfigError
from harness.records.record import Record
from harness.run.events import ProgressEvent, ignore
from harness.run.job.results import SCORES
from harness.run.job.spec import JobSpec
from harness.run.job.stages import run_job
from harness.run.plan.jobs import plan_suite
from harness.run.plan.request import RunRequest, listing_states
from harness.run.session import find_datasets, open_and_complete
from harness.train.training_progress import FINAL
from tests.pictures import make_pictures
from tests.tiny import TinyBenchmark, metrics_of, planned_jobs

FOLD = "letters.1of2"
RECIPES = """
[recipes.taught]
of = "short"
distill = { model = "wide", recipe = "short", weight = 0.6, temperature = 2.0 }

[recipes.patient]
of = "short"
steps = 24
patience = 1
validations = 12
ema = 0.7
learning_rate = { shape = "warm-restarts", warmup = 0.1, cycles = 2, growth = 2.0 }
augment = { mixup = 0.4, cutmix = 1.0, pictures = { rotation = 15, size = [0.8, 1.2] } }

[suites.more]
title = "Letters by recipes"
task = "harness.tasks.classification:Classification"
protocol = 1
datasets = ["letters"]
entries = [
    { model = "small", loss = "softmax", recipe = "short" },
    { model = "wide", loss = "softmax", recipe = "short" },
    { model = "small", loss = "softmax", recipe = "taught" },
    { model = "small", loss = "softmax", recipe = "patient" },
]
profiles.quick = {}

[[suites.more.ensembles]]
name = "both"
members = [
    { model = "small", loss = "softmax", recipe = "short" },
    { model = "wide", loss = "softmax", recipe = "short" },
]

[[suites.more.ensembles]]
name = "twice"
members = [{ model = "small", loss = "softmax", recipe = "short" }]
seeds = [0, 1]
average = "logits"
"""


class CutError(Exception):
    """Ends a job from within."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    made = make_pictures(tmp_path_factory.mktemp("taught") / "own")
    made.config.write_text(made.config.read_text() + RECIPES)
    return made


@pytest.fixture(scope="module")
def jobs_in(own: TinyBenchmark) -> Callable[[Path], dict[str, JobSpec]]:
    """Return the jobs of a fold by their names, in a folder of runs."""
    request = RunRequest(
        suite="more", profile="quick", runs=own.runs, device="cpu", threads=1, datasets=(FOLD,)
    )
    loaded = load(own.config)
    here, _ = find_datasets(loaded, request)
    plan = plan_suite(loaded, request, listing_states(loaded, here))
    planned = open_and_complete(loaded, request, plan, here, ignore)

    def jobs_in(runs: Path) -> dict[str, JobSpec]:
        moved = [_moved(job, runs) for job in planned]
        return {f"{job.model.name} {job.recipe_name}": job for job in moved}

    return jobs_in


@pytest.fixture(scope="module")
def quiet(
    jobs_in: Callable[[Path], dict[str, JobSpec]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[JobSpec, Record]]:
    """Every job, run without a break."""
    jobs = jobs_in(tmp_path_factory.mktemp("quiet"))
    return {name: (job, run_job(job)) for name, job in jobs.items()}


def _moved(job: JobSpec, runs: Path) -> JobSpec:
    """Return a job in another folder of runs, without what is measured of it."""
    members = tuple(_moved(each, runs) for each in job.members)
    teacher = job.teacher and _moved(job.teacher, runs)
    changed = {"runs": runs, "members": members, "teacher": teacher, "environment": None}
    return job.model_copy(update=changed)


def cut_at(steps: int) -> Callable[[ProgressEvent], None]:
    """Return what ends a job after so many steps of its trainings."""
    done, training = 0, False

    def watch(event: ProgressEvent) -> None:
        nonlocal done, training
        if event.kind == "stage":
            training = event.text == "train"
        elif event.kind == "advance" and training and event.loss is not None:
            done += 1
            if done == steps:
                raise CutError

    return watch


def weights(job: JobSpec) -> bytes:
    assert job.train is not None
    return (job.stage_folder("train", job.train.key) / FINAL).read_bytes()


def logits(job: JobSpec, record: Record) -> Any:
    folder = job.stage_folder("evaluate", record.stages["evaluate"].key)
    return np.load(folder / SCORES)["logits"]


def test_every_job_is_done(quiet: dict[str, tuple[JobSpec, Record]]) -> None:
    assert list(quiet) == [
        "nearest class mean None",
        "small short",
        "wide short",
        "small taught",
        "small patient",
        "both probabilities averaged",
        "twice logits averaged",
    ]
    assert {record.state for _, record in quiet.values()} == {"done"}


def test_a_students_key_holds_its_teachers(quiet: dict[str, tuple[JobSpec, Record]]) -> None:
    student, teacher = quiet["small taught"][0], quiet["wide short"][0]
    assert student.train is not None
    assert teacher.train is not None
    assert student.train.inputs["teacher"] == teacher.train.key
    assert student.teacher is not None
    assert student.teacher.train == teacher.train
    plain = quiet["small short"][0]
    assert plain.train is not None
    assert "teacher" not in plain.train.inputs
    assert weights(student) != weights(plain)


@pytest.mark.parametrize("steps", [5, 17])
def test_a_distillation_that_is_cut_off_gives_the_quiet_runs_numbers(
    quiet: dict[str, tuple[JobSpec, Record]],
    jobs_in: Callable[[Path], dict[str, JobSpec]],
    tmp_path: Path,
    steps: int,
) -> None:
    # In the teacher's 12 steps, and in the student's after them.
    job = jobs_in(tmp_path)["small taught"]
    with pytest.raises(CutError):
        run_job(job, cut_at(steps))
    again = run_job(job)
    job_of_quiet, record = quiet["small taught"]
    assert metrics_of(again.model_dump()) == metrics_of(record.model_dump())
    assert weights(job) == weights(job_of_quiet)
    assert job.teacher is not None
    assert weights(job.teacher) == weights(quiet["wide short"][0])


def test_a_patient_training_that_is_cut_off_gives_the_quiet_runs_numbers(
    quiet: dict[str, tuple[JobSpec, Record]],
    jobs_in: Callable[[Path], dict[str, JobSpec]],
    tmp_path: Path,
) -> None:
    job = jobs_in(tmp_path)["small patient"]
    with pytest.raises(CutError):
        run_job(job, cut_at(3))
    again = run_job(job)
    quiet_job, record = quiet["small patient"]
    assert metrics_of(again.model_dump()) == metrics_of(record.model_dump())
    assert again.selected_on == record.selected_on
    assert weights(job) == weights(quiet_job)
    # It ended early: two steps after the validation that nothing was better than.
    selected = int(record.selected_on.split("step ")[1].split(" of ")[0])
    ended = int(record.selected_on.rpartition(" of ")[2])
    assert ended == min(24, selected + 2)


def test_an_ensemble_is_the_mean_of_its_members(
    quiet: dict[str, tuple[JobSpec, Record]],
) -> None:
    job, record = quiet["both probabilities averaged"]
    members = [logits(*quiet[name]) for name in ("small short", "wide short")]
    found = logits(job, record)
    wanted = np.mean([softmax(each, axis=1) for each in members], axis=0)
    np.testing.assert_allclose(softmax(found, axis=1), wanted, atol=1e-6)
    assert (record.track, record.seed, record.loss) == ("ensemble", 0, None)
    assert record.notes[0].startswith("the mean of 2 networks: small + softmax (short), wide")
    assert record.metrics["accuracy"].low is not None


def test_an_ensemble_over_seeds_is_one_row(quiet: dict[str, tuple[JobSpec, Record]]) -> None:
    job, record = quiet["twice logits averaged"]
    assert record.seed is None
    assert [each.seed for each in job.members] == [0, 1]
    trained = [each.train for each in job.members]
    assert trained[0] == quiet["small short"][0].train
    named = record.stages["evaluate"].inputs["members"]
    assert named == [each.key for each in trained if each]


def test_an_ensemble_trains_the_members_that_are_not_there(
    quiet: dict[str, tuple[JobSpec, Record]],
    jobs_in: Callable[[Path], dict[str, JobSpec]],
    tmp_path: Path,
) -> None:
    job = jobs_in(tmp_path)["both probabilities averaged"]
    with pytest.raises(CutError):
        run_job(job, cut_at(15))
    again = run_job(job)
    wanted = quiet["both probabilities averaged"][1]
    assert metrics_of(again.model_dump()) == metrics_of(wanted.model_dump())


@pytest.mark.parametrize(
    ("old", "new", "mend"),
    [
        ('distill = { model = "wide"', 'distill = { model = "wild"', "no model is called 'wild'"),
        (
            'recipe = "short", weight',
            'recipe = "taught", weight',
            "'taught' has a teacher itself",
        ),
        ("mixup = 0.4", "frequency_mask = 3, mixup = 0.4, speeds = [1.0]", "changes sound"),
        ('name = "both"', 'name = "small"', "no model's of the suite"),
        ("seeds = [0, 1]", "seeds = [0]", "one network is no ensemble"),
        (
            '{ model = "wide", loss = "softmax", recipe = "short" },\n]\n\n[[',
            '{ model = "wide", loss = "softmax" },\n]\n\n[[',
            "is no system of the suite",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    own: TinyBenchmark, tmp_path: Path, old: str, new: str, mend: str
) -> None:
    text = own.config.read_text()
    assert old in text
    broken = own.folder / f"broken-{tmp_path.name}.toml"
    broken.write_text(text.replace(old, new))
    request = RunRequest(
        suite="more", profile="quick", runs=own.runs, device="cpu", threads=1, datasets=(FOLD,)
    )
    with pytest.raises(ConfigError, match=mend):
        planned_jobs(load(broken), request)
