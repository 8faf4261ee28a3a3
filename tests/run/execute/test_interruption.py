"""A training that is cut off goes on, and gives what an unbroken one gives."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from harness.config.loader import load
from harness.run.plan.request import RunRequest
from harness.run.plan.status import EarlierRuns, StageStatus, job_status
from tests.tiny import (
    FIRST,
    PATIENCE,
    STEPS,
    TinyBenchmark,
    ended,
    is_alive,
    kill_group,
    metrics_of,
    planned_jobs,
)

SEED = 7
AGAIN = (*FIRST[:6], str(SEED), *FIRST[7:])
Cut = Callable[[subprocess.Popen[str], int], None]


def _everything(command: subprocess.Popen[str], worker: int) -> None:
    kill_group(command, signal.SIGKILL)
    with suppress(ProcessLookupError):  # It ends by itself as soon as the command has.
        os.kill(worker, signal.SIGKILL)


def _worker(command: subprocess.Popen[str], worker: int) -> None:
    os.kill(worker, signal.SIGKILL)


def _command(command: subprocess.Popen[str], worker: int) -> None:
    command.kill()


def _control_c(command: subprocess.Popen[str], worker: int) -> None:
    kill_group(command, signal.SIGINT)


@pytest.mark.parametrize(
    ("cut", "status"),
    [
        (_everything, -signal.SIGKILL),
        pytest.param(_worker, 1, marks=pytest.mark.long),
        pytest.param(_command, -signal.SIGKILL, marks=pytest.mark.long),
        (_control_c, 130),
    ],
)
def test_a_training_that_is_cut_off_goes_on(
    tiny: TinyBenchmark, tmp_path: Path, cut: Cut, status: int
) -> None:
    unbroken = tiny.forget("tiny", SEED)
    command, worker = _standing_at(tiny, tmp_path / "gate", step=10)
    cut(command, worker)
    cut_off = ended(command)
    _wait_until(lambda: not is_alive(worker))

    assert cut_off.status == status, cut_off.err
    if cut is _control_c:
        assert "the same command goes on from the last checkpoint" in cut_off.err
    _check_record_of(cut, tiny)
    assert _train_status(tiny) == StageStatus("resumes", "stopped after step 8")

    resumed = tiny.run(*AGAIN)
    assert resumed.status == 0, resumed.err
    record = tiny.record("tiny", SEED)
    assert metrics_of(record) == metrics_of(unbroken)
    assert record["artefacts"]["checkpoint"] == unbroken["artefacts"]["checkpoint"]
    assert record["attempt"] == (2 if cut is _worker else 1)
    _check_curves(tiny.stage(record, "train") / "curves", pieces=2)


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.long)])
def test_kills_at_any_moment_change_no_result(tiny: TinyBenchmark, kills: int) -> None:
    """The command and all that it started end after so many changes of files, drawn at random."""
    unbroken, generator = tiny.forget("tiny", SEED), np.random.default_rng(kills)
    killed = 0
    while killed < kills:
        command = tiny.start(*AGAIN)
        _wait_for_changes(tiny.runs, int(generator.integers(1, 30)), command)
        if command.poll() is None:
            _kill_all(command)
            killed += 1
        else:
            assert ended(command).status == 0
            tiny.forget("tiny", SEED)
    resumed = tiny.run(*AGAIN)
    assert resumed.status == 0, resumed.err
    assert "damaged" not in resumed.err
    record = tiny.record("tiny", SEED)
    assert metrics_of(record) == metrics_of(unbroken)
    assert record["artefacts"]["checkpoint"] == unbroken["artefacts"]["checkpoint"]
    assert record["artefacts"]["scores"] == unbroken["artefacts"]["scores"]
    assert list(tiny.runs.rglob("*.part")) == []


def test_files_of_another_job_are_set_aside_and_made_again(tiny: TinyBenchmark) -> None:
    own, other = tiny.record("tiny", SEED), tiny.record("tiny", 0)
    place = tiny.record_path("tiny", SEED).parent
    shutil.rmtree(tiny.stage(own, "train"))
    shutil.copytree(tiny.stage(other, "train"), tiny.stage(own, "train"))
    shutil.copy(tiny.stage(other, "evaluate") / "scores.npz", tiny.stage(own, "evaluate"))
    for name in ("record.json", "attempt-1.json", "scores.npz"):
        shutil.copy(tiny.record_path("tiny", 0).with_name(name), place)
    again = tiny.run(*AGAIN)
    assert again.status == 0, again.err
    for name, why in (
        ("record.json", "not the job's record that was written"),
        ("result.json", "the result of another stage"),
        ("resume.pt", "a resume point of another training"),
        ("scores.npz", "that was written"),
    ):
        line = next(line for line in again.err.splitlines() if f"{name}: damaged" in line)
        assert why in line
        assert f"set aside as {name}.damaged-1" in line
    record = tiny.record("tiny", SEED)
    assert metrics_of(record) == metrics_of(own)
    for name in ("checkpoint", "scores"):
        assert record["artefacts"][name] == own["artefacts"][name]


def test_the_curves_of_an_unbroken_training(tiny: TinyBenchmark) -> None:
    _check_curves(tiny.stage(tiny.record("tiny", SEED), "train") / "curves", pieces=1)


def test_two_calls_at_once_share_one_training(tiny: TinyBenchmark) -> None:
    unbroken = tiny.forget("tiny", SEED)
    both = [tiny.start(*AGAIN) for _ in range(2)]
    done = [ended(command) for command in both]
    assert [each.status for each in done] == [0, 0], done
    record = tiny.record("tiny", SEED)
    assert metrics_of(record) == metrics_of(unbroken)
    assert record["attempt"] == 1
    assert sorted(each.json["ran"] for each in done) == [0, 1]
    assert sum(each.err.count(f": train ({STEPS})") for each in done) == 1
    curves = tiny.stage(record, "train") / "curves" / f"tiny+aam+short-seed{SEED}"
    assert len(list(curves.iterdir())) == 1


def _standing_at(tiny: TinyBenchmark, gate: Path, step: int) -> tuple[subprocess.Popen[str], int]:
    """Start a call whose worker stands still in a step; gives both."""
    command = tiny.start(*AGAIN, TINY_GATE=f"{gate}:{step}")
    _wait_until(lambda: (gate.exists() and gate.read_text() != "") or command.poll() is not None)
    assert command.poll() is None, ended(command)
    return command, int(gate.read_text())


def _train_status(tiny: TinyBenchmark) -> StageStatus:
    """The training of the call, as a plan tells of it."""
    request = RunRequest(
        suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1,
        losses=("aam",), seeds=(SEED,),
    )  # fmt: skip
    _, job = planned_jobs(load(tiny.config), request)
    return job_status(job, EarlierRuns())["train"]


def _wait_for_changes(folder: Path, count: int, command: subprocess.Popen[str]) -> None:
    """Wait until files of a folder were seen to change so often, or a command has ended."""
    seen, before = set[tuple[str, int, int]](), _files(folder)

    def is_time() -> bool:
        seen.update(_files(folder) - before)
        return len(seen) >= count or command.poll() is not None

    _wait_until(is_time, every=0.002)


def _files(folder: Path) -> set[tuple[str, int, int]]:
    """Every file as it is now; what changes has another time or size."""
    found = set()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a temporary file that was renamed since
            state = path.stat()
            found.add((str(path), state.st_mtime_ns, state.st_size))
    return found


def _kill_all(command: subprocess.Popen[str]) -> None:
    """Kill a command and all that descends from it, and wait for their ends."""
    processes = [*psutil.Process(command.pid).children(recursive=True), psutil.Process(command.pid)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    ended(command)
    _wait_until(lambda: not any(is_alive(process.pid) for process in processes))


def _wait_until(condition: Callable[[], bool], every: float = 0.02) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(every)


def _check_record_of(cut: Cut, tiny: TinyBenchmark) -> None:
    """A worker that dies alone is a failed row; a call that is stopped is none."""
    place = f"own-quick/voices/tiny+aam+short/seed{SEED}-*"
    records = [*tiny.runs.glob(f"{place}/record.json"), *tiny.runs.glob(f"{place}/attempt-*.json")]
    if cut is not _worker:
        assert records == []
        return
    record = tiny.record("tiny", SEED)
    assert record["state"] == "failed"
    assert "SIGKILL" in record["reason"]


def _check_curves(folder: Path, pieces: int) -> None:
    (folder,) = folder.iterdir()
    assert folder.name == f"tiny+aam+short-seed{SEED}"
    assert len(list(folder.iterdir())) == pieces
    events = EventAccumulator(str(folder))
    events.Reload()
    steps = {tag: [point.step for point in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    every = list(range(1, STEPS + 1))
    validated = [STEPS // 2, STEPS]
    assert steps == {
        "Train/Loss": every,
        "Train/Accuracy": every,
        "Train/lr": every,
        "Train/margin": every,
        "Train/scale": every,
        "Test/eer": validated,
        "Test/min_dcf": validated,
        "Test/threshold": validated,
        "TrainEval/accuracy": validated,
        "TrainEval/raw_loss": validated,
        "TrainEval/weighted_loss": validated,
    }
