"""One job's stages, in this process."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from harness.config.loader import load
from harness.datasets.listing import list_dataset
from harness.errors import HarnessError, RequestError
from harness.measure.nvml import GpuState
from harness.records.costs import COSTS
from harness.records.documents import sha256_file
from harness.records.record import Stage
from harness.records.record_files import read_record
from harness.run.job.context import JobContext, OutOfMemory, memory_errors
from harness.run.job.evaluate_stage import evaluate_system, log_use
from harness.run.job.measure_stage import measure_system
from harness.run.job.record_writing import (
    build_record,
    mend_record,
    whole_record,
    write_attempt,
)
from harness.run.job.results import (
    EMBEDDINGS,
    SCORES,
    find_result,
    run_stage,
    save_embeddings,
)
from harness.run.job.spec import JobSpec
from harness.run.job.stages import run_job
from harness.run.plan.jobs import plan_checkpoint
from harness.run.plan.request import CheckpointEntry, RunRequest, listing_state
from harness.train.checkpoint import load_weights
from tests.tiny import TinyBenchmark, planned_jobs


def checkpoint_job(tiny: TinyBenchmark, path: Path) -> JobSpec:
    loaded = load(tiny.config)
    request = RunRequest(suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1)
    here = {"voices": listing_state(loaded, list_dataset(loaded, "voices", "quick"))}
    return plan_checkpoint(loaded, request, here, CheckpointEntry(path, "tiny")).jobs(here)[1]


@pytest.fixture
def weights(tiny: TinyBenchmark) -> dict[str, torch.Tensor]:
    """The trunk of a finished training."""
    folder = tiny.stage(tiny.record("tiny", 7), "train")
    system = load_weights(folder / "weights.safetensors")
    return {name: value for name, value in system.items() if name.startswith("trunk.")}


def judged(tiny: TinyBenchmark, weights: dict[str, torch.Tensor], folder: Path) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    torch.save(weights, folder / "weights.pt")
    job = checkpoint_job(tiny, folder / "weights.pt")
    return evaluate_system(JobContext(job), folder / "weights.pt", folder)


def test_a_trunk_alone_is_judged_as_its_system(
    tiny: TinyBenchmark, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    wanted = {
        k: v for k, v in tiny.record("tiny", 7)["metrics"].items() if k != "training_accuracy"
    }
    bare = {name.removeprefix("trunk."): value for name, value in weights.items()}
    for number, state in enumerate((weights, bare, {**bare, "head.more": torch.zeros(3)})):
        found = judged(tiny, state, tmp_path / str(number))
        assert found["metrics"] == wanted


def test_test_embeddings_are_kept_beside_the_scores_unless_they_are_too_large(
    tiny: TinyBenchmark, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    found = judged(tiny, weights, tmp_path)
    path = tmp_path / EMBEDDINGS
    assert found["embeddings"] == {"sha256": sha256_file(path), "bytes": path.stat().st_size}
    kept = np.load(path)["embeddings"]
    lists = JobContext(checkpoint_job(tiny, tmp_path / "weights.pt")).dataset.listing
    trials, scores = lists.split_trials("test"), np.load(tmp_path / SCORES)["scores"]
    assert (kept.dtype, len(kept)) == (np.float16, len(lists.split_items("test")))
    unit = kept / np.linalg.norm(kept.astype(np.float32), axis=1, keepdims=True)
    cosines = (unit[trials.enrol] * unit[trials.test]).sum(1)
    np.testing.assert_allclose(cosines, scores, atol=5e-3)
    path.unlink()
    job = checkpoint_job(tiny, tmp_path / "weights.pt")
    without = JobContext(job.model_copy(update={"keep_embeddings": 0}))
    again = evaluate_system(without, tmp_path / "weights.pt", tmp_path)
    assert "embeddings" not in again
    assert not path.exists()
    assert again["scores"] == found["scores"]
    assert job.evaluate("x") == without.spec.evaluate("x")


def test_embeddings_beyond_float16_keep_their_directions(tmp_path: Path) -> None:
    values = np.array([[3e30, -4e30], [1e30, 0]], np.float32)
    assert save_embeddings(tmp_path / EMBEDDINGS, values, 8)
    kept = np.load(tmp_path / EMBEDDINGS)["embeddings"].astype(np.float64)
    np.testing.assert_allclose(kept / kept[0, 0], values / values[0, 0], rtol=2e-3)
    assert not save_embeddings(tmp_path / EMBEDDINGS, values, 7)
    assert not save_embeddings(tmp_path / EMBEDDINGS, np.full((1, 1), np.nan, np.float32), 8)


def test_scores_are_measured_against_the_training_split(
    tiny: TinyBenchmark, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    plain = judged(tiny, weights, tmp_path / "plain")
    text = tiny.config.read_text()
    rules = 'protocol = 1\nparameters = { scoring = "s-norm", subtract_mean = true }\n'
    tiny.config.write_text(text.replace("protocol = 1\n", rules, 1))
    normed = judged(tiny, weights, tmp_path / "normed")
    assert normed["metrics"]["eer"] != plain["metrics"]["eer"]
    scores = np.load(tmp_path / "normed" / SCORES)["scores"]
    assert np.abs(scores).max() > 1  # standard deviations, no cosines


def test_missing_and_misshaped_weights_are_named(
    tiny: TinyBenchmark, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    missing = {name: value for name, value in weights.items() if name != "trunk.layer.bias"}
    with pytest.raises(RequestError, match=r"1 of 3 weights are missing, the first 'trunk.layer.b"):
        judged(tiny, missing, tmp_path / "missing")
    with pytest.raises(
        RequestError, match=r"layer.weight has shape \(9, 48\), the network \(8, 48"
    ):
        judged(tiny, {**weights, "trunk.layer.weight": torch.zeros(9, 48)}, tmp_path / "shape")


def test_each_look_at_test_counts_and_only_those(
    tiny: TinyBenchmark, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    looks = [judged(tiny, weights, tmp_path / "twice")["test_looks"] for _ in range(2)]
    assert looks == [1, 2]
    with pytest.raises(RequestError):
        judged(tiny, {"trunk.no": torch.zeros(1)}, tmp_path / "twice")
    assert judged(tiny, weights, tmp_path / "twice")["test_looks"] == 3


def test_points_of_a_curve_over_budgets_are_no_looks_of_one_another(tmp_path: Path) -> None:
    def counts(recipe: str, configuration: str, seed: int = 0) -> tuple[int, int]:
        use = {
            "model": "m", "loss": "aam", "seed": seed, "recipe": recipe,
            "configuration": configuration, "evaluation": f"{recipe} {configuration} {seed}",
        }  # fmt: skip
        found = log_use(tmp_path, use)
        return found.test, found.configurations

    assert counts("matched", "own length") == (1, 1)
    assert counts("matched at 4,800 crops", "short") == (1, 1)
    assert counts("matched at 4,800 crops", "short", seed=1) == (1, 1)
    # Whatever else a call changes is a configuration that was tried, and a look with its seed.
    assert counts("matched at 4,800 crops with optimizer.lr=0.1", "another rate") == (2, 2)
    assert counts("matched with optimizer.lr=0.1", "another rate") == (2, 2)


@pytest.mark.parametrize(
    ("factor", "reason"), [(float("nan"), "holds NaN or infinity"), (1e38, "NaN or infinite")]
)
def test_weights_or_embeddings_that_are_no_numbers_are_a_row_that_says_so(
    tiny: TinyBenchmark,
    weights: dict[str, torch.Tensor],
    tmp_path: Path,
    factor: float,
    reason: str,
) -> None:
    torch.save({name: value * factor if value.is_floating_point() else value
                for name, value in weights.items()}, tmp_path / "spoilt.pt")  # fmt: skip
    record = run_job(checkpoint_job(tiny, tmp_path / "spoilt.pt"))
    assert record.state == "failed"
    assert reason in record.reason


@pytest.mark.parametrize(
    "allocate", [lambda: torch.empty(2**50, dtype=torch.uint8), lambda: np.empty(2**60, np.uint8)]
)
def test_memory_that_runs_out_says_what_was_tried(allocate: Any) -> None:
    wanted = r"out of memory in training at batch 9: .*llocat"
    with pytest.raises(OutOfMemory, match=wanted), memory_errors("in training at batch 9"):
        allocate()


def test_a_shape_bug_is_no_lack_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught, memory_errors("in training"):
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    assert not isinstance(caught.value, HarnessError)


def test_a_stage_is_made_once_and_not_kept_when_it_fails(tmp_path: Path) -> None:
    stage, made = Stage(key="k", inputs={"a": 1}), []

    def fail(folder: Path) -> dict[str, Any]:
        raise HarnessError("no")

    def make(folder: Path) -> dict[str, Any]:
        made.append(folder)
        return {"answer": 42}

    with pytest.raises(HarnessError):
        run_stage(tmp_path / "s-k", stage, "c0de", fail)
    first = run_stage(tmp_path / "s-k", stage, "c0de", make)
    assert run_stage(tmp_path / "s-k", stage, "c0de", make) == first
    assert first["answer"] == 42
    assert first["stage"]["inputs"] == {"a": 1}
    assert made == [tmp_path / "s-k"]
    assert json.loads((tmp_path / "s-k" / "inputs.json").read_text()) == {"a": 1}


def test_attempts_are_numbered_and_never_edited(tiny: TinyBenchmark, tmp_path: Path) -> None:
    path = tiny.record_path("tiny")
    record, job = read_record(path), _job_at(tiny, path.parent)
    first = (path.parent / "attempt-1.json").read_bytes()
    assert write_attempt(job, record, None).attempt == 2
    (path.parent / "attempt-11.json").write_bytes(first)
    assert write_attempt(job, record, None).attempt == 12
    assert (path.parent / "attempt-1.json").read_bytes() == first
    assert read_record(path).attempt == 12


def test_a_call_that_died_between_an_attempt_and_its_copy_has_done_the_job(
    tiny: TinyBenchmark,
) -> None:
    path = tiny.record_path("tiny")
    job, latest = _job_at(tiny, path.parent), path.read_bytes()
    path.unlink()
    assert mend_record(job) == read_record(path)
    assert path.read_bytes() == latest


def test_an_earlier_record_does_not_answer_for_a_part_that_is_asked_for(
    tiny: TinyBenchmark,
) -> None:
    path = tiny.record_path("tiny")
    job = _job_at(tiny, path.parent)
    assert whole_record(job) == read_record(path)
    assert whole_record(job.model_copy(update={"only": "validate"})) is None


def test_times_of_a_training_elsewhere_are_not_those_of_the_records_machine(
    tiny: TinyBenchmark,
) -> None:
    job = _job_at(tiny, tiny.record_path("tiny").parent)
    stages = ("train", "evaluate", "measure")
    results = {name: find_result(tiny.stage(tiny.record("tiny"), name)) for name in stages}
    here = build_record(job, results)
    assert here.resources.training_seconds == results["train"]["seconds"] > 0
    results["train"] |= {"environment": "e" * 64}
    elsewhere = build_record(job, results)
    spent = elsewhere.resources
    assert (spent.training_seconds, spent.data_wait, spent.cpu_wait) == (None, None, None)
    assert elsewhere.artefacts == here.artefacts


def test_a_figure_of_a_throttled_gpu_says_so_in_the_row(
    tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = SimpleNamespace(state=lambda: GpuState(clock=1200, most=1980, reasons=0x20))
    monkeypatch.setattr("harness.measure.timing.gpu_driver", lambda device: hot)
    job = _job_at(tiny, tiny.record_path("tiny").parent)
    stages = ("train", "evaluate")
    results = {name: find_result(tiny.stage(tiny.record("tiny"), name)) for name in stages}
    results["measure"] = measure_system(JobContext(job)) | {"stage": job.measure.model_dump()}
    record = build_record(job, results)
    slow = "is of a GPU slowed by heat, to 1,200 of 1,980 MHz"
    figures = ("latency", "embedding speed", "training speed")
    assert record.notes[-3:] == tuple(f"its {figure} {slow}" for figure in figures)
    assert record.resources.training_per_second > 0
    # By field too: a night's verdict sets them aside.
    timed = {name for name, facts in COSTS.items() if facts.disturbed_by == "measuring_cpu_wait"}
    assert record.resources.gpu_disturbed == dict.fromkeys(timed, slow.removeprefix("is of a GPU "))


def test_scores_on_another_file_system_are_copied(tiny: TinyBenchmark) -> None:
    path = tiny.record_path("tiny")
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == path.stat().st_dev:
        pytest.skip("this machine has no second file system to write to")
    elsewhere = shared / f"scores-{os.getpid()}"
    elsewhere.write_bytes(b"scores")
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EXDEV)):
            (path.parent / "link").hardlink_to(elsewhere)
        write_attempt(_job_at(tiny, path.parent), read_record(path), elsewhere)
    finally:
        elsewhere.unlink()
    assert (path.parent / SCORES).read_bytes() == b"scores"


def _job_at(tiny: TinyBenchmark, folder: Path) -> JobSpec:
    """The job whose record lies in a folder."""
    threads = tiny.record("tiny")["environment"]["threads"]
    request = RunRequest(
        suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=threads,
        losses=("aam",), seeds=(0,),
    )  # fmt: skip
    job = planned_jobs(load(tiny.config), request)[1]
    assert job.folder == folder.resolve()
    return job
