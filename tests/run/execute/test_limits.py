"""A job that hangs is ended, with all that it started; its row says where, and the others go on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from harness.run.events import ProgressEvent
from harness.run.execute.job_clock import JobClock
from harness.run.job.limits import Limits
from tests.hostile import add_hostile, add_models, hostile
from tests.run.execute.conftest import NAME, marked
from tests.run.execute.test_supervisor import wait_until
from tests.tiny import FIRST, Finished, TinyBenchmark, ended, kill_group, make_tiny, metrics_of

SOON = {"silence_minutes": 0.05 / 60}
HANGING = {"unmade": hostile("made", "hang"), "stuck": hostile("step", "hang")}
SHORT, SILENT = ("--job-hours", "0.004"), ("--silence-minutes", "1")
"""Limits beyond the start of a process, which imports torch beside other tests."""


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    made = make_tiny(tmp_path_factory.mktemp("hanging") / "own")
    add_hostile(made)
    add_models(made, "hostile", {**HANGING, "calm": hostile("never", "nothing")})
    return made


def words(command: str, *more: str) -> tuple[str, ...]:
    return (command, "--suite", "hostile", "--device", "cpu", "--json", *more)


def rows(done: Finished) -> dict[str, dict[str, Any]]:
    (table,) = done.json["tables"]
    return {row["model"]: row for row in table["rows"]}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], "no progress for 0.000833333 minutes (--silence-minutes): ended in 'starting'"),
        (
            [ProgressEvent("stage", "train", total=5000), ProgressEvent("advance", done=812)],
            "no progress for 0.000833333 minutes (--silence-minutes): ended in 'train', 812 of "
            "5,000 done; the same command goes on from the last checkpoint",
        ),
        (
            [ProgressEvent("stage", "score", is_quiet=True), ProgressEvent("stage", "measure")],
            "no progress for 0.000833333 minutes (--silence-minutes): ended in 'measure'",
        ),
    ],
)
def test_a_silent_job_has_no_time_left(events: list[ProgressEvent], told: str) -> None:
    clock = JobClock(Limits(**SOON))
    for event in events:
        clock.hear(event)
    assert 0 < clock.left <= 0.05
    time.sleep(0.06)
    assert clock.left == 0
    assert not clock.is_job_over
    assert clock.told == told
    clock.hear(ProgressEvent("advance", done=1))
    assert clock.left > 0


@pytest.mark.parametrize("is_quiet", [True, False])
def test_a_stage_that_is_known_to_be_quiet_takes_its_time(is_quiet: bool) -> None:
    clock = JobClock(Limits(**SOON, job_hours=0.5), is_quiet=is_quiet)
    clock.hear(ProgressEvent("stage", "score", is_quiet=not is_quiet))
    time.sleep(0.06)
    assert 1700 < clock.left <= 1800


def test_a_job_that_talks_for_ever_has_its_hours_all_the_same() -> None:
    clock = JobClock(Limits(job_hours=0.05 / 3600))
    while not clock.is_job_over:
        clock.hear(ProgressEvent("stage", "score", is_quiet=True))
    assert clock.left == 0
    assert clock.told == "took longer than 1.38889e-05 hours (--job-hours): ended in 'score'"


def test_a_job_that_hangs_is_a_row_and_nothing_of_it_is_left(
    hanging: TinyBenchmark, mark: str
) -> None:
    done = ended(hanging.start(*words("run", "--model", "stuck", *SHORT), **{NAME: mark}))
    assert done.status == 1, done.err
    assert rows(done)["stuck"]["state"] == "timeout"
    reason = rows(done)["stuck"]["reason"]
    assert reason.startswith("took longer than 0.004 hours (--job-hours): ended in "), reason
    assert marked(mark) == []


def test_an_adapter_that_hangs_when_it_is_made_ends_no_plan(
    hanging: TinyBenchmark, mark: str
) -> None:
    limit = ("--silence-minutes", "0.2")
    done = ended(hanging.start(*words("plan", "--model", "unmade", *limit), **{NAME: mark}))
    assert done.status == 0, done.err
    train = done.json["jobs"][1]["stages"]["train"]
    assert train["state"] == "to run"
    assert "making hostile_models:Hostile: no answer for 0.2 minutes" in train["why"]
    assert marked(mark) == []


def test_ctrl_c_ends_all_that_an_adapter_started(
    hanging: TinyBenchmark, mark: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    command = hanging.start(
        *words("run", "--model", "stuck"), **{NAME: mark, "HOSTILE_GATE": str(gate)}
    )
    wait_until(lambda: gate.exists() or command.poll() is not None, seconds=240)
    assert len(marked(mark)) == 3 + 15
    began = time.monotonic()
    kill_group(command, 2)
    done = ended(command)
    assert done.status == 130, done.err
    assert time.monotonic() - began < 10
    assert marked(mark) == []


@pytest.mark.long
def test_the_others_go_on(hanging: TinyBenchmark, mark: str) -> None:
    done = ended(hanging.start(*words("run", "--workers", "2", *SILENT), **{NAME: mark}))
    assert done.status == 1, done.err
    found = rows(done)
    assert {name: row["state"] for name, row in found.items()} == {
        "unmade": "failed", "stuck": "timeout", "calm": "done", "MFCC statistics": "done",
    }  # fmt: skip
    assert found["stuck"]["reason"] == (
        "no progress for 1 minutes (--silence-minutes): ended in 'train', 0 of 12 done"
    )
    assert marked(mark) == []


@pytest.mark.long
def test_a_training_that_was_ended_goes_on(tiny: TinyBenchmark, tmp_path: Path) -> None:
    again = (*FIRST[:6], "7", *FIRST[7:])
    unbroken = tiny.forget("tiny", 7)
    gate = f"{tmp_path / 'gate'}:10"
    cut = tiny.run(*again, *SILENT, TINY_GATE=gate)
    assert cut.status == 1, cut.err
    assert tiny.record("tiny", 7)["state"] == "timeout"
    assert tiny.record("tiny", 7)["reason"].endswith(
        "ended in 'train', 9 of 12 done; the same command goes on from the last checkpoint"
    )
    train = tiny.run("plan", *again[1:]).json["jobs"][1]["stages"]["train"]
    assert train == {"state": "resumes", "why": "stopped after step 8"}
    resumed = tiny.run(*again)
    assert resumed.status == 0, resumed.err
    assert metrics_of(tiny.record("tiny", 7)) == metrics_of(unbroken)
