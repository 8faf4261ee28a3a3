"""A job that a card refuses memory: what it keeps, and what its row says."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.config.loader import load
from harness.errors import OutOfMemory
from harness.measure import timing
from harness.measure.gpu_room import GpuRoom
from harness.measure.timing import Times
from harness.records.costs import Prediction
from harness.records.documents import sha256_file
from harness.records.record import Record
from harness.run.events import ignore
from harness.run.job import benchmark_target, measure_stage, stages
from harness.run.job.benchmark_target import ON_PROCESSOR, BenchmarkTarget
from harness.run.job.context import JobContext, StepOutOfMemory
from harness.run.job.measure_stage import NotMeasured
from harness.run.job.record_writing import is_complete, write_failure
from harness.run.job.results import INPUTS, NOTES, SCORES, find_result
from harness.run.job.spec import Embedding, JobSpec
from harness.run.job.stages import measure_job, run_job
from harness.run.plan.request import RunRequest
from harness.series.series_file import PUBLISHED
from tests.tiny import TinyBenchmark, metrics_of, planned_jobs

GIB = 2**30
REFUSED = "CUDA out of memory. Tried to allocate 2.00 GiB"


@pytest.fixture
def job(tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch) -> JobSpec:
    """A job that is trained and evaluated, and whose costs are soon measured."""
    monkeypatch.setattr(timing, "FIGURE", 0.01)
    for name, value in {"LENGTHS": (2.0,), "LONG": 0.0}.items():
        monkeypatch.setattr(measure_stage, name, value)
    request = RunRequest(
        suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1, losses=("aam",)
    )
    _, found = planned_jobs(load(tiny.config), request)
    shutil.rmtree(measuring(found), ignore_errors=True)
    return found


def measuring(job: JobSpec) -> Path:
    assert job.measure
    return job.stage_folder("measure", job.measure.key)


def refuse(*_: object) -> Any:
    raise torch.OutOfMemoryError(REFUSED)


class FullFrom:
    """A system that is measured on a card that is full from a batch on."""

    device, audio, most_at_once = torch.device("cpu"), True, 1024

    def __init__(self, full: int) -> None:
        self.full, self.tried = full, list[int]()
        self.spec = SimpleNamespace(embedding=Embedding())

    def noise(self, batch: int, seconds: float | None) -> torch.Tensor:
        return torch.zeros(batch, 1)

    def embed(self, raw: torch.Tensor) -> None:
        if len(raw) >= self.full:
            refuse()

    def embedding_times(self, raw: torch.Tensor, **_: float) -> Times:
        self.tried.append(len(raw))
        self.embed(raw)
        return Times((1e-3,) * 3)


def test_the_search_for_the_fastest_batch_keeps_the_last_that_worked() -> None:
    target = FullFrom(16)
    found = measure_stage._throughput(target)  # type: ignore[arg-type]
    assert target.tried == [1, 2, 4, 8, 16, 8]  # the fastest is timed at the end
    assert found["inference_batch"] == 8
    assert found["inference_per_second"] == pytest.approx(8 * 2.0 / 1e-3)
    with pytest.raises(torch.OutOfMemoryError):
        measure_stage._throughput(FullFrom(1))  # type: ignore[arg-type]


def test_joules_are_an_items_of_all_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ENERGY", 0.01)
    steps: list[int] = []
    monkeypatch.setattr(measure_stage, "energy_counter", lambda _: lambda: 24.0 * len(steps))
    target = SimpleNamespace(device=torch.device("cpu"))

    def step() -> None:
        steps.append(1)
        time.sleep(0.05)

    found = measure_stage._training_speed(target, 8, step)  # type: ignore[arg-type]
    assert len(steps) >= 3
    assert found["joules_per_item"] == pytest.approx(24.0 / 8)


def test_passes_after_a_refused_one_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = {
        lambda _: {"parameters": 7}: "in sizes",
        refuse: "in the middle{batch}",
        lambda _: {"training_per_second": 3.0, NOTES: ["slow"]}: "at the end",
    }
    monkeypatch.setattr(measure_stage, "PASSES", passes)
    nothing = {"prediction": None, "largest_training": None, "at_batch": " at batch 8"}
    sound = SimpleNamespace(listing=SimpleNamespace(corpus=SimpleNamespace(kind="audio")))
    context = SimpleNamespace(
        spec=SimpleNamespace(embedding=Embedding(), **nothing),
        device=torch.device("cpu"),
        dataset=sound,
        begin=lambda *_: None,
        advance=lambda *_: None,
    )
    with pytest.raises(NotMeasured, match="out of memory in the middle at batch 8") as raised:
        measure_stage.measure_system(context)  # type: ignore[arg-type]
    found = raised.value.found
    assert (found.parameters, found.training_per_second) == (7, 3.0)
    assert raised.value.notes == ("slow",)


@pytest.mark.parametrize(("kind", "threads"), [("cuda", [4]), ("cpu", [1, 4])])
def test_a_gpu_has_one_latency_a_length(kind: str, threads: list[int]) -> None:
    target = SimpleNamespace(
        device=SimpleNamespace(type=kind),
        spec=SimpleNamespace(threads=4),
        audio=True,
        noise=lambda batch, seconds: torch.zeros(batch, 1),
        embedding_times=lambda raw: Times((0.1,)),
    )
    kept = torch.get_num_threads()
    try:
        found = measure_stage._latencies(target)["latencies"]  # type: ignore[arg-type]
    finally:
        torch.set_num_threads(kept)
    assert [each.threads for each in found if each.seconds == 2.0] == threads
    assert len(found) == len(threads) * len(measure_stage.LENGTHS)


@pytest.mark.parametrize(("largest", "most"), [(None, ON_PROCESSOR), (0, 1), (100, 100)])
def test_at_least_one_item_is_tried(largest: int | None, most: int) -> None:
    gpu = SimpleNamespace(type="cuda")
    spec = SimpleNamespace(embedding=Embedding(largest=largest))
    target = SimpleNamespace(device=gpu, spec=spec)
    assert BenchmarkTarget.most_at_once.fget(target) == most  # type: ignore[attr-defined]


def test_a_refused_pass_costs_its_own_figures_alone(
    job: JobSpec, tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = metrics_of(tiny.record("tiny"))
    monkeypatch.setattr(BenchmarkTarget, "training_step", refuse)
    record = run_job(job)
    assert (record.state, metrics_of(record.model_dump())) == ("done", before)
    spent = record.resources
    assert spent.parameters
    assert spent.latency_p50
    assert spent.inference_per_second
    assert (spent.training_memory, spent.training_per_second) == (None, None)
    (note,) = (note for note in record.notes if "measured" in note)
    assert note == (
        "not all of its costs were measured: out of memory in measuring training at batch 8 of "
        f"0.5 s crops: {REFUSED}"
    )
    assert job.measure
    assert is_complete(job, record)
    assert record.stages["measure"].inputs == job.measure.inputs
    assert find_result(measuring(job)) is None  # a card with more room measures it
    alone = measure_job(job)
    assert (alone.state, alone.resources.training_memory) == ("oom", None)
    assert alone.resources.latency_p50
    assert "in measuring training at batch 8" in alone.reason


def test_a_job_that_is_killed_while_it_is_measured_keeps_its_metrics(
    job: JobSpec, tiny: TinyBenchmark
) -> None:
    before = metrics_of(tiny.record("tiny"))
    measuring(job).mkdir()
    (measuring(job) / INPUTS).write_text("{}")
    (job.folder / PUBLISHED).unlink(missing_ok=True)
    kept = write_failure(job, "timeout", "no progress for 30 minutes")
    assert (kept.state, metrics_of(kept.model_dump())) == ("done", before)
    assert kept.notes[-1].endswith("measured: no progress for 30 minutes")
    assert kept.resources.latency_p50 is None
    assert (job.folder / SCORES).is_file()
    assert sha256_file(job.folder / PUBLISHED) == kept.artefacts["series"].sha256
    assert not is_complete(job, kept)
    assert is_complete(job.model_copy(update={"environment": None}), kept)  # nothing is measured
    refused = job.model_copy(update={"refused": "its code failed"})
    assert write_failure(refused, "failed", "its code failed").state == "failed"


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_job_that_ended_before_is_a_failure(
    job: JobSpec, tiny: TinyBenchmark, stage: str
) -> None:
    measuring(job).mkdir()
    (measuring(job) / INPUTS).write_text("{}")
    shutil.rmtree(tiny.stage(tiny.record("tiny"), stage))
    assert write_failure(job, "failed", "gone").state == "failed"


def test_a_job_that_did_not_come_to_be_measured_is_a_failure(job: JobSpec) -> None:
    assert write_failure(job, "failed", "the disk is full").state == "failed"


def run_in(room: GpuRoom, job: JobSpec) -> Record:
    return stages._run_stages(JobContext(job, ignore, room))


def test_a_row_says_what_was_free(job: JobSpec) -> None:
    found = run_in(GpuRoom(free=3 * GIB, limit=5 * GIB), job)
    assert found.resources.gpu_free == 3 * GIB
    assert "3 GiB of the GPU were free, of the 5 GiB that the budget gives" in found.notes[-1]
    whole = run_in(GpuRoom(free=6 * GIB, limit=5 * GIB), job)
    assert not [note for note in whole.notes if "free" in note]


@pytest.mark.parametrize(
    ("free", "refused"), [(3 * GIB, True), (4 * GIB, False)], ids=["full", "enough"]
)
def test_a_training_that_others_leave_no_room_is_not_begun(
    job: JobSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, refused: bool
) -> None:
    monkeypatch.setattr("harness.run.job.train_stage.train_system", lambda *_: {"begun": True})
    told = Prediction(parameters=1, inputs=1, temporaries=1, peak=GIB, reserved=4 * GIB)
    context = JobContext(
        job.model_copy(update={"prediction": told}), ignore, GpuRoom(free, 5 * GIB)
    )
    assert job.recipe
    if not refused:
        assert stages._train(context, job.recipe, tmp_path) == {"begun": True}
        return
    with pytest.raises(OutOfMemory, match=r"3 GiB of the GPU are free.*4 GiB: end the other prog"):
        stages._train(context, job.recipe, tmp_path)


@pytest.mark.parametrize(("error", "advised"), [(StepOutOfMemory, True), (OutOfMemory, False)])
def test_smaller_parts_are_advised_for_training_steps_alone(
    job: JobSpec, monkeypatch: pytest.MonkeyPatch, error: type[OutOfMemory], advised: bool
) -> None:
    monkeypatch.setattr(stages, "limit_allocator", lambda limit: GpuRoom(3 * GIB, 5 * GIB))
    monkeypatch.setattr(stages, "_fitting_batch", lambda spec, free: f"{free // GIB} GiB: fewer")
    gpu = job.model_copy(update={"device": "cuda"})

    def act(room: GpuRoom | None) -> None:
        raise error("out of memory here")

    state, reason = stages._within_budget(gpu, act)  # type: ignore[misc]
    assert state == "oom"
    assert ("3 GiB: fewer" in reason) == advised
    assert "when the job began, 3 GiB of the GPU were free" in reason


def test_a_card_without_room_for_a_context_is_a_row_that_says_so(
    job: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(limit: int | None) -> GpuRoom:
        raise RuntimeError("CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation'")

    monkeypatch.setattr(stages, "limit_allocator", full)
    record = run_job(job.model_copy(update={"device": "cuda"}))
    assert record.state == "oom"
    assert record.reason == (
        "out of memory in taking the GPU, which other programs fill: CUDA error: out of memory"
    )


def test_a_first_embedding_is_told_when_it_is_there(
    job: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []
    embedding = SimpleNamespace(cpu=lambda: fetched.append(True))
    monkeypatch.setattr(benchmark_target.BenchmarkTarget, "embed", lambda *_: embedding)
    BenchmarkTarget(JobContext(job)).embed_first()
    assert fetched
