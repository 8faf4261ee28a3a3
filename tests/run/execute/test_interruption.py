"""A training that is cut off goes on, and gives what an unbroken one gives."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from harness.config.loader import load
from harness.run.plan.request import RunRequest
from harness.run.plan.status import StageStatus, job_status
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


def test_the_curves_of_an_unbroken_training(tiny: TinyBenchmark) -> None:
    _check_curves(tiny.stage(tiny.record("tiny", SEED), "train") / "curves", pieces=1)


def test_two_calls_at_once_share_one_training(tiny: TinyBenchmark) -> None:
    unbroken = tiny.forget("tiny", SEED)
    both = [tiny.start(*AGAIN) for _ in range(2)]
    done = [ended(command) for command in both]
    assert [each.status for each in done] == [0, 0], done
    record = tiny.record("tiny", SEED)
    assert metrics_of(record) == metrics_of(unbroken)
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
    return job_status(job)["train"]


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def _check_record_of(cut: Cut, tiny: TinyBenchmark) -> None:
    """A worker that dies alone is a failed row; a call that is stopped is none."""
    records = list(tiny.runs.glob(f"own-quick/voices/tiny+aam+short/seed{SEED}-*/*.json"))
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
