"""Jobs by submitit: in its own processes on this machine, and on Slurm where that runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.errors import RequestError
from harness.run.execute.executor import Answer
from harness.run.execute.slurm import SlurmExecutor
from tests.run.execute.conftest import NAME, marked
from tests.run.execute.elsewhere import Asked, add_executor, documented, engine, job_of
from tests.tiny import TinyBenchmark, metrics_of

submitit = pytest.importorskip("submitit", reason="the extra slurm is not installed")


def on(cluster: str) -> dict[str, Any]:
    """The table of an executor; a machine without Slurm skips the tests that need it."""
    if cluster == "slurm" and shutil.which("sinfo") is None:
        pytest.skip("no Slurm here")
    return {"cluster": cluster, "memory_gb": 2.0, "environment": ["TINY_GATE", NAME]}


CLUSTERS = pytest.mark.parametrize("cluster", ["local", "slurm"])


@pytest.mark.long
@CLUSTERS
def test_a_submitted_job_has_the_same_result(tiny: TinyBenchmark, cluster: str) -> None:
    on(cluster)
    add_executor(tiny, "slurm", f'cluster = "{cluster}"\nmemory_gb = 2.0')
    unbroken = tiny.forget("tiny", 7)
    done = tiny.run(*documented("slurm"))
    assert done.status == 0, done.err
    assert "seed 7: train (12)" in done.err
    assert "Traceback" not in done.err
    assert metrics_of(tiny.record("tiny", 7)) == metrics_of(unbroken)
    assert list((tiny.runs / "elsewhere").iterdir()) == []


@pytest.mark.long
@CLUSTERS
def test_a_job_that_fails_says_why(tiny: TinyBenchmark, cluster: str) -> None:
    answer = Asked(engine("slurm", **on(cluster)), job_of(tiny, "raise")).ended()
    assert answer is not None
    assert (answer.result, answer.state) == (None, "failed")
    assert answer.why == "ValueError: the layer is out of order"
    assert "in struck" in answer.errors


@pytest.mark.long
@CLUSTERS
def test_a_job_that_has_no_time_left_is_ended(
    tiny: TinyBenchmark, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    asked, gate = standing(tiny, cluster, tmp_path, monkeypatch, mark, silence_minutes=0.5)
    answer = asked.ended()
    assert answer is not None
    assert answer.state == "timeout"
    assert answer.why.startswith("no progress for 0.5 minutes (--silence-minutes): ended in")
    assert marked(mark) == []
    assert gate.exists()


@pytest.mark.long
@CLUSTERS
def test_a_caller_that_stops_cancels_its_jobs(
    tiny: TinyBenchmark, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    asked, _ = standing(tiny, cluster, tmp_path, monkeypatch, mark)
    assert marked(mark)
    asked.executor.stop()
    assert asked.ended() is None
    deadline = time.monotonic() + 60
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert marked(mark) == []


@pytest.mark.long
@CLUSTERS
def test_a_preempted_job_goes_on_from_its_checkpoint(
    tiny: TinyBenchmark, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    unbroken = metrics_of(tiny.record("tiny", 7))
    asked, gate = standing(tiny, cluster, tmp_path, monkeypatch, mark, step=10)
    first = gate.read_text()
    preempt(asked.executor.submitted[-1])
    # Slurm lets a job that it took back wait for two minutes.
    asked.wait(lambda: gate.read_text() not in ("", first), seconds=300)
    answer = asked.let_through(gate)
    assert answer.result is not None, answer
    assert metrics_of(answer.result) == unbroken
    trained = [event.done for event in asked.events if event.kind == "advance"]
    assert 9 in trained, "the second begins behind step 8"


def preempt(handle: Any) -> None:
    """Send what Slurm sends to a job that it takes back; submitit's sender kills a local one."""
    if isinstance(handle, submitit.LocalJob):
        (task,) = psutil.Process(handle._process.pid).children()
        task.send_signal(signal.SIGUSR2)
    else:
        handle._interrupt()


@pytest.mark.long
def test_a_job_that_dies_on_slurm_without_an_answer(
    tiny: TinyBenchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """Asked of `sacct`, or of `squeue` where no accounts are kept."""
    asked, _ = standing(tiny, "slurm", tmp_path, monkeypatch, mark)
    number = asked.executor.submitted[-1].job_id
    subprocess.run(["pkill", "-KILL", "-f", f"submitit.core._submit {tiny.runs}"], check=True)
    answer = asked.ended()
    assert answer is not None
    assert (answer.result, answer.state) == (None, "failed")
    assert re.fullmatch(rf"Slurm's job {number} ended as [A-Z]+, without an answer", answer.why)


def standing(
    tiny: TinyBenchmark,
    cluster: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    mark: str,
    step: int = 3,
    **limits: float,
) -> tuple[Asked, Path]:
    """A job that stands still in a step, its processes marked; and the file that holds it."""
    fields = on(cluster)
    tiny.forget("tiny", 7)
    gate = folder / "gate"
    monkeypatch.setenv("TINY_GATE", f"{gate}:{step}")
    monkeypatch.setenv(NAME, mark)
    asked = Asked(Kept("cpu", 1, **{**fields, "environment": tuple(fields["environment"])}),
                  job_of(tiny, **limits))  # fmt: skip
    # Its environment is read where it is submitted, which another thread does.
    asked.wait(lambda: gate.exists() and gate.read_text() != "")
    monkeypatch.delenv(NAME)
    return asked, gate


class Kept(SlurmExecutor):
    """Keeps what it submitted."""

    def start(self, job: Any) -> Any:
        self.submitted = [*getattr(self, "submitted", ()), super().start(job)]
        return self.submitted[-1]


def test_a_job_that_slurm_ended_has_slurms_reason(tmp_path: Path) -> None:
    """States are those of `sacct`; a job that needs no node stands for one."""

    class Ended(submitit.DebugJob):  # type: ignore[misc]
        state = "OUT_OF_MEMORY"

        def __init__(self) -> None:
            self._job_id = "17"

        def done(self, force_check: bool = False) -> bool:
            return True

        def stderr(self) -> str:
            return "slurmstepd: error"

        def __del__(self) -> None:
            pass

    told = SlurmExecutor("cpu", 1, cluster="local").ended(Ended())
    wanted = "Slurm's job 17 ended as OUT_OF_MEMORY, without an answer"
    assert told == Answer(None, wanted, "slurmstepd: error", "oom")


def test_a_machine_without_slurm_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(RequestError, match="there is no srun here; give it on a login node"):
        SlurmExecutor("cpu", 1)
