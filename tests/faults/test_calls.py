"""Real calls on one folder of runs, killed at random moments: the quiet call's numbers, once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from harness.records.lease import VARIABLE
from harness.run.job.record_writing import not_measured
from tests.hostile import add_hostile, add_models, hostile
from tests.tiny import PATIENCE, TinyBenchmark, is_alive, make_tiny, metrics_of

pytestmark = pytest.mark.long

JOBS, CALLS = 50, 4
KILLS = 100
"""As many as there is time for while jobs are left."""

SEEDS = ",".join(map(str, range(JOBS)))
RUN = ("run", "--suite", "own", "--loss", "aam", "--device", "cpu", "--seeds", SEEDS, "--json")


def records(tiny: TinyBenchmark) -> dict[str, dict[str, Any]]:
    """Every job's record by its place below the folder of runs."""
    found = tiny.runs.glob("*/*/*/*/record.json")
    return {str(each.parent.relative_to(tiny.runs)): json.loads(each.read_text()) for each in found}


def results(tiny: TinyBenchmark) -> dict[str, tuple[object, ...]]:
    """What must be equal to the bit: state, metrics, hashes of weights and scores."""
    return {
        place: (each["state"], metrics_of(each), {
            name: each["artefacts"][name]["sha256"]
            for name in ("checkpoint", "scores") if name in each["artefacts"]
        })
        for place, each in records(tiny).items()
    }  # fmt: skip


def is_measured(record: dict[str, Any]) -> bool:
    """Check that nothing kept a record's costs from being measured."""
    return not any(note.startswith(not_measured("")) for note in record["notes"])


def until(is_over: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not is_over():
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.05)


@pytest.fixture
def both(tmp_path: Path) -> tuple[TinyBenchmark, TinyBenchmark]:
    """A benchmark whose jobs were run by a quiet call, and a copy to be run."""
    quiet = make_tiny(tmp_path / "quiet" / "own")
    done = quiet.run(*RUN)
    assert done.status == 0, done.err
    return quiet, make_tiny(tmp_path / "runs" / "own")


def test_calls_that_race_and_are_killed(
    both: tuple[TinyBenchmark, TinyBenchmark], tmp_path: Path
) -> None:
    """A kill meets a call, or any process of one: its worker, a supervisor, one that plans."""
    quiet, tiny = both
    generator, killed = np.random.default_rng(KILLS), 0
    log = tmp_path / "log"
    calls = [tiny.begin(*RUN, log=log) for _ in range(CALLS)]
    while killed < KILLS and len(records(tiny)) <= JOBS:
        time.sleep(generator.uniform(0.05, 0.6))
        place = int(generator.integers(CALLS))
        with suppress(psutil.NoSuchProcess):
            call = psutil.Process(calls[place])
            met = [call, *call.children(recursive=True)]
            met[int(generator.integers(len(met)))].kill()
            killed += 1
        if not is_alive(calls[place]):
            calls[place] = tiny.begin(*RUN, log=log)
    until(lambda: not any(map(is_alive, calls)), 20 * PATIENCE)
    # A worker that was killed alone is a failed row, which the same command runs again.
    done = tiny.run(*RUN)
    assert done.status == 0, done.err
    assert results(tiny) == results(quiet)
    assert not list(tiny.runs.glob("*/*/*/*/lease-*"))
    for place, record in records(tiny).items():
        attempts = [
            json.loads(each.read_text()) for each in (tiny.runs / place).glob("attempt-*.json")
        ]
        # One that was killed while it was measured is done but for its costs.
        done_whole = [each for each in attempts if each["state"] == "done" and is_measured(each)]
        assert len(done_whole) == 1, place
        assert record["attempt"] == len(attempts)


def test_jobs_that_hang_eat_memory_and_die_have_their_states_once(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path / "own")
    add_hostile(tiny)
    faults = {"hangs": hostile("step", "hang"), "crashes": hostile("step", "crash")}
    for name, fault in {"eats": "memory", "diverges": "nan", "dies": "die"}.items():
        faults[name] = f'adapter = "tiny_models:Tiny"\nfault = "{fault}"'
    add_models(tiny, "hostile", {**faults, "calm": hostile("never", "nothing")})
    words = ("run", "--suite", "hostile", "--device", "cpu", "--silence-minutes", "1", "--json")
    calls = [tiny.begin(*words, log=tmp_path / "log", **{VARIABLE: "20"}) for _ in range(2)]
    until(lambda: not any(map(is_alive, calls)), 5 * PATIENCE)
    found = {place.split("/")[2]: each for place, each in records(tiny).items()}
    states = {name.partition("+")[0]: each["state"] for name, each in found.items()}
    assert states == {
        "MFCC-statistics": "done", "calm": "done", "hangs": "timeout", "eats": "oom",
        "diverges": "failed", "dies": "failed", "crashes": "failed",
    }  # fmt: skip
    assert {each["attempt"] for each in found.values()} == {1}
