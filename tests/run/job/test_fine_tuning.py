"""A fine-tuning that is killed goes on, and gives what an unbroken one gives."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tiny import (
    FIRST,
    PATIENCE,
    STEPS,
    TinyBenchmark,
    ended,
    is_alive,
    kill_group,
    metrics_of,
)

SEED = 7
RUN = (*FIRST[:6], str(SEED), *FIRST[7:])
TUNED = """validations = 2
select = "last"
fine_tune = { share = 0.5, lr = 1e-3, batch = 6, crop_seconds = 0.7, checkpoints = 3, \
schedules = { margin = 0.4 } }"""


@pytest.mark.long
def test_a_kill_in_either_training_changes_nothing(tiny: TinyBenchmark, tmp_path: Path) -> None:
    tiny.forget("tiny", SEED)
    tiny.edit("validations = 2", TUNED)
    cut = [tiny.copy(tmp_path / name) for name in ("first", "second")]
    unbroken = tiny.run(*RUN)
    assert unbroken.status == 0, unbroken.err
    wanted = tiny.record("tiny", SEED)

    for again, (stands_at, kept) in zip(cut, [(10, 8), (STEPS + 4, STEPS + 3)], strict=True):
        _kill(again, tmp_path / f"gate-{stands_at}", stands_at)
        train = again.run("plan", *RUN[1:]).json["jobs"][1]["stages"]["train"]
        assert train == {"state": "resumes", "why": f"stopped after step {kept}"}
        resumed = again.run(*RUN)
        assert resumed.status == 0, resumed.err
        found = again.record("tiny", SEED)
        assert metrics_of(found) == metrics_of(wanted)
        assert found["artefacts"]["checkpoint"] == wanted["artefacts"]["checkpoint"]
        result = json.loads((again.stage(found, "train") / "result.json").read_text())
        assert result["steps"] == STEPS + 6
        assert result["before_fine_tuning"]["steps"] == STEPS


def _kill(tiny: TinyBenchmark, gate: Path, stands_at: int) -> None:
    """Start a call whose worker stands still in a step, and end both."""
    command = tiny.start(*RUN, TINY_GATE=f"{gate}:{stands_at}")
    _wait_until(lambda: (gate.exists() and gate.read_text() != "") or command.poll() is not None)
    assert command.poll() is None, ended(command)
    worker = int(gate.read_text())
    kill_group(command, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    ended(command)
    _wait_until(lambda: not is_alive(worker))


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)
