"""Several calls on one folder of runs: each job is done once, whatever becomes of the others."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from harness.records.lease import VARIABLE, is_leased
from harness.records.lease_file import STEM
from harness.records.record_files import read_record
from harness.run.events import ignore
from harness.run.execute.executor import run_jobs
from harness.run.job.record_writing import RECORD, build_failure, find_record, write_attempt
from harness.run.job.spec import JobSpec
from harness.run.job_states import JobWatcher
from tests.faults.jobs import Steps, check_done_once, made_jobs, run_all, started

SHORT, LONG = 8, 50
Pair = tuple[list[JobSpec], list[JobSpec]]


def both(folder: Path, count: int) -> Pair:
    """Jobs to be run under faults, and the same run by a quiet call."""
    quiet = made_jobs(folder / "quiet", count)
    run_all(quiet, Steps())
    return made_jobs(folder / "runs", count), quiet


@pytest.mark.parametrize(
    ("calls", "count"), [(2, SHORT), pytest.param(4, LONG, marks=pytest.mark.long)]
)
def test_racing_calls_do_each_job_once(tmp_path: Path, calls: int, count: int) -> None:
    jobs, quiet = both(tmp_path, count)
    racers = [started(jobs, Steps(("cpu",) * 2, 0.002)) for _ in range(calls)]
    for each in racers:
        each.join()
    assert [each.exitcode for each in racers] == [0] * calls
    check_done_once(jobs, quiet)


@pytest.mark.parametrize(
    ("kills", "count"), [(3, SHORT), pytest.param(100, LONG, marks=pytest.mark.long)]
)
def test_kills_at_random_moments(tmp_path: Path, kills: int, count: int) -> None:
    """Two calls at a time; another one takes the place of one that is killed."""
    jobs, quiet = both(tmp_path, count)
    generator = np.random.default_rng(kills)
    racers, killed = [started(jobs, Steps(("cpu",), 0.02)) for _ in range(2)], 0
    while killed < kills and any(each.is_alive() for each in racers):
        time.sleep(generator.uniform(0.01, 0.08))
        place = int(generator.integers(2))
        racers[place].kill()
        racers[place].join()
        killed += racers[place].exitcode == -signal.SIGKILL
        racers[place] = started(jobs, Steps(("cpu",), 0.02))
    for each in racers:
        each.join()
    assert killed == kills, "the jobs were done before"
    assert [each.exitcode for each in racers] == [0, 0]
    check_done_once(jobs, quiet)
    assert list(tmp_path.rglob("*.part")) == []


@pytest.mark.parametrize("tears", [5, pytest.param(100, marks=pytest.mark.long)])
def test_torn_leases(tmp_path: Path, tears: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")  # mended at the next beat
    jobs, quiet = both(tmp_path, SHORT if tears == 5 else LONG)
    generator = np.random.default_rng(tears)
    racers, torn = [started(jobs, Steps(("cpu",), 0.01)) for _ in range(2)], 0
    while torn < tears and any(each.is_alive() for each in racers):
        found = list((tmp_path / "runs").glob(f"*/*/*/*/{STEM}*"))
        if found:
            path = found[int(generator.integers(len(found)))]
            try:
                os.truncate(path, int(generator.integers(0, 60)))
            except FileNotFoundError:
                continue
            torn += 1
        time.sleep(0.02)
    for each in racers:
        each.join()
    assert torn
    assert [each.exitcode for each in racers] == [0, 0]
    check_done_once(jobs, quiet)


@pytest.mark.parametrize("disks", [3, pytest.param(20, marks=pytest.mark.long)])
def test_full_disks(tmp_path: Path, disks: int) -> None:
    """A call whose disk takes so many bytes a file; then one that has room."""
    jobs, quiet = both(tmp_path, SHORT)
    generator = np.random.default_rng(disks)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for most in [0, *generator.integers(1, 2000, disks - 1)]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), before[1]))
        try:
            records = run_all(jobs, Steps())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert {record.state for record in records} <= {"failed", "done"}
        for job, record in zip(jobs, records, strict=True):
            kept = find_record(job)
            assert kept is None or kept.state in ("done", record.state)
    run_all(jobs, Steps())
    for job, calm in zip(jobs, quiet, strict=True):
        assert read_record(job.folder / RECORD).reason == read_record(calm.folder / RECORD).reason
        assert not is_leased(job.folder)


def test_a_call_that_stood_still_is_replaced_and_does_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0.5")
    jobs, quiet = both(tmp_path, 2)
    stopped = started(jobs, Steps(("cpu",), 0.05))
    while not any(job.stage_folder("train", f"{job.seed:0>16}").exists() for job in jobs):
        time.sleep(0.01)
    os.kill(stopped.pid or 0, signal.SIGSTOP)
    other = started(jobs, Steps(("cpu",), 0.0))
    other.join(60)
    assert other.exitcode == 0
    os.kill(stopped.pid or 0, signal.SIGCONT)
    stopped.join(60)
    assert stopped.exitcode == 0, "it read the records of the other"
    check_done_once(jobs, quiet)


def test_what_another_call_ended_meanwhile_is_its_record(tmp_path: Path) -> None:
    """Whatever its state is, if it is later than the plan; what failed before is run again."""
    done, failed, again = made_jobs(tmp_path, 3)
    write_attempt(again, build_failure(again, "failed", "before the plan"), None)
    known = {job.digest: find_record(job) for job in (done, failed, again)}
    write_attempt(done, build_failure(done, "done", "elsewhere"), None)
    write_attempt(failed, build_failure(failed, "oom", "elsewhere"), None)
    seen = []
    found = {
        job.seed: record
        for job, record in run_jobs([done, failed, again], Steps(), seen.append, known)
    }
    assert [(found[seed].state, found[seed].attempt) for seed in range(3)] == [
        ("done", 1), ("oom", 1), ("done", 2),
    ]  # fmt: skip
    kinds = [(event.kind, event.job.seed) for event in seen if event.job]
    assert [seed for kind, seed in kinds if kind == "start"] == [2]
    assert sorted(seed for kind, seed in kinds if kind == "end") == [0, 1, 2]


def test_a_job_is_queued_runs_and_has_its_records_state(tmp_path: Path) -> None:
    first, second = made_jobs(tmp_path, 2)
    running = run_jobs([first, second], Steps(), ignore, {})
    assert next(running)[0].seed == 0
    running.close()
    states = {each.run.rpartition("/")[2][:5]: each for each in JobWatcher(tmp_path).look()}
    assert states["seed0"].state == "done"
    assert states["seed1"].state in ("queued", "done")

    slow = started(made_jobs(tmp_path, 3)[2:], Steps(("cpu",), 0.2))
    watcher, found = JobWatcher(tmp_path), None
    while not (found and found.stage == "" and found.state == "running"):
        found = next((each for each in watcher.look() if "seed2" in each.run), None)
    assert found.pid == slow.pid
    assert found.heartbeat is not None
    assert 0 <= found.heartbeat < 60
    assert watcher.goes_on()
    slow.kill()
    slow.join()
    (left,) = [each for each in watcher.look() if "seed2" in each.run]
    assert (left.state, left.job) == ("queued", "voices: tiny, seed 2")
