"""Any executor runs jobs: one at a time in each slot, and what has no result is a row."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from dataclasses import dataclass, field

import pytest

from harness.config.loader import load
from harness.config.schema import Budget
from harness.errors import RequestError
from harness.records.costs import Prediction
from harness.run.events import ProgressEvent, Watch, ignore
from harness.run.execute import executor
from harness.run.execute.executor import (
    EXECUTORS,
    LOCAL,
    Answer,
    choose_executor,
    make_executor,
    run_jobs,
)
from harness.run.execute.subprocesses import CARDS, card_of, worker_environment
from harness.run.job.record_writing import build_failure
from harness.run.job.spec import JobSpec
from harness.run.plan.request import RunRequest
from harness.run.session import run_missing
from tests.here import Here
from tests.run.execute.elsewhere import table
from tests.tiny import TinyBenchmark, planned_jobs


@dataclass
class Elsewhere:
    """An engine of somebody else, with two slots."""

    slots: tuple[str, ...] = ("cpu", "cuda:1")
    busy: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, job: JobSpec, slot: str, watch: Watch) -> Answer:
        with self.lock:
            assert slot not in self.busy
            self.busy.add(slot)
            self.asked.append((job.title, slot))
        time.sleep(0.02)
        self.busy.remove(slot)
        if job.seed == 1:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        if job.seed == 2:
            return Answer(None, "gone", "a traceback")
        watch(ProgressEvent("stage", "train", total=1, job=job))
        record = build_failure(job, "skipped", "as asked")
        return Answer(record.model_dump(mode="json", by_alias=True), "", "")

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def jobs(tiny: TinyBenchmark) -> list[JobSpec]:
    request = RunRequest(
        suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1, losses=("aam",)
    )
    baseline, job = planned_jobs(load(tiny.config), request)
    refused = job.model_copy(update={"seed": 9, "refused": "its code failed"})
    return [baseline, *(job.model_copy(update={"seed": seed}) for seed in range(4)), refused]


def test_several_slots_take_the_longest_training_first_and_one_keeps_the_order(
    jobs: list[JobSpec],
) -> None:
    first = jobs[1]
    sizes = {3: 1.0, 4: 3.0, 5: 2.0}
    timed = [
        first.model_copy(
            update={
                "seed": seed,
                "item_macs": 1000,
                "recipe": first.recipe.model_copy(update={"steps": None, "epochs": epochs}),
            }
        )
        for seed, epochs in sizes.items()
    ]
    items = first.dataset.counts["train"]["items"]
    assert [job.training_macs for job in timed] == [1000 * items, 3000 * items, 2000 * items]
    assert jobs[0].training_macs == 0, "a baseline trains nothing"

    def begun(slots: tuple[str, ...]) -> list[int | None]:
        seen = list[ProgressEvent]()
        list(run_jobs([jobs[0], *timed], Elsewhere(slots=slots), seen.append))
        return [event.job.seed for event in seen if event.kind == "start" and event.job]

    assert begun(("cpu",)) == [None, 3, 4, 5]
    several = begun(("cpu", "cuda:1"))
    assert (set(several[:2]), several[2:]) == ({4, 5}, [3, None])


def test_every_job_has_a_record_and_its_events(jobs: list[JobSpec]) -> None:
    engine, seen = Elsewhere(), list[ProgressEvent]()
    found = {job.seed: record for job, record in run_jobs(jobs, engine, seen.append)}
    assert {seed: record.state for seed, record in found.items()} == {
        None: "skipped", 0: "skipped", 1: "failed", 2: "failed", 3: "skipped", 9: "failed",
    }  # fmt: skip
    assert "could not be started" in found[1].reason
    assert (found[2].reason, found[9].reason) == ("gone", "its code failed")
    assert (jobs[3].folder / "errors.log").read_text() == "a traceback"
    assert len(engine.asked) == len(jobs) - 1, "a refused job is not asked for"
    assert {slot for _, slot in engine.asked} == {"cpu", "cuda:1"}
    assert engine.stopped
    for kind, count in {"start": 6, "end": 6, "stage": 3}.items():
        assert sum(event.kind == kind and event.job is not None for event in seen) == count


def test_workers_that_do_not_share_a_gpu_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "card_bytes", lambda slot: 2**30 * (13 if "0" in slot else 11))
    budget = Budget()  # 6 GiB
    for fits in (("cpu",) * 9, ("cuda:0", "cuda:1"), ("cuda:0", "cuda:0", "cuda:1")):
        executor.refuse_crowd(Elsewhere(fits), budget)
    wanted = r"2 jobs at a time on cuda:1, which has 11 GiB.*give at most 1 for each GPU"
    with pytest.raises(RequestError, match=wanted):
        executor.refuse_crowd(Elsewhere(("cuda:0", "cuda:1") * 2), budget)


def test_jobs_that_main_memory_does_not_hold_at_once_are_refused(
    jobs: list[JobSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a system that was measured counts what it took, which all its seeds share."""
    measured = executor.main_memory(jobs[1])
    assert measured > 0
    assert {executor.main_memory(job) for job in jobs[1:]} == {measured}
    told = Prediction(parameters=1, inputs=2, temporaries=3, peak=123_456, reserved=2**20)
    new = jobs[1].model_copy(update={"memory_limit": 12345, "prediction": told})
    assert executor.main_memory(new) == executor.WORKER_MEMORY + told.peak
    assert executor.main_memory(jobs[0]) == executor.WORKER_MEMORY

    monkeypatch.setattr(executor, "available_memory", lambda: 2 * measured)
    for slots in (("cpu",), ("cpu",) * 2, ("cuda:0", "cpu", "cuda:1")):
        executor.refuse_full_memory(Elsewhere(slots), jobs)
    executor.refuse_full_memory(Elsewhere(("cpu",) * 9), jobs[1:3])
    wanted = r"--workers: 3 jobs at a time need .* GiB of main memory.*give --workers 2"
    with pytest.raises(RequestError, match=wanted):
        executor.refuse_full_memory(Elsewhere(("cpu",) * 3), jobs)


def test_a_call_that_main_memory_does_not_hold_starts_nothing(
    jobs: list[JobSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs[1]
    request = RunRequest(suite="own", profile="quick", runs=job.runs, device="cpu", threads=1)
    monkeypatch.setattr(executor, "available_memory", lambda: 1)
    several = [each.model_copy(update={"only": "validate"}) for each in jobs[1:3]]
    with pytest.raises(RequestError, match="--workers: 2 jobs at a time need"):
        run_missing(several, LOCAL, request, 2, ignore)


def test_a_caller_that_stops_stops_the_executor(jobs: list[JobSpec]) -> None:
    engine = Elsewhere()
    running = run_jobs(jobs, engine, ignore)
    next(running)
    running.close()
    assert engine.stopped


def test_a_worker_multiplies_matrices_repeatably(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":0:0")
    assert worker_environment(2)["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_an_executor_has_a_name_and_perhaps_a_table() -> None:
    assert choose_executor("local", {}).import_path == EXECUTORS["local"]
    ours = choose_executor("slurm", {"slurm": table(hours=4)})
    assert (ours.import_path, ours.fields) == (EXECUTORS["slurm"], {"hours": 4})
    theirs = table(**{"class": "tests.here:Here"})
    assert isinstance(make_executor(choose_executor("mine", {"mine": theirs}), "cpu", 1), Here)


@pytest.mark.parametrize(
    ("name", "fields", "wanted"),
    [
        ("slrum", {}, "--executor slrum: there is no such executor; did you mean 'slurm'"),
        ("mine", {"prefix": []}, "executors.mine.class: missing; give its import path"),
        ("local", {"class": "a:B"}, "executors.local.class: local is one of ours"),
        ("local", {"hours": 3}, "harness.run.execute.subprocesses:LocalExecutor is not a data"),
        ("docker", {"device": "cuda"}, "executors: device: is given by the call; leave it out"),
        ("docker", {"imagine": "x"}, "executors.imagine: unknown key; did you mean 'image'"),
        ("mine", {"class": "tests.hree:Here"}, "cannot import 'tests.hree'"),
    ],
)
def test_a_wrong_executor_is_refused(name: str, fields: dict[str, str], wanted: str) -> None:
    tables = {name: table(**fields)} if fields else {}
    with pytest.raises(RequestError, match=re.escape(wanted)):
        make_executor(choose_executor(name, tables), "cpu", 1)


def test_no_secret_of_the_environment_is_written(
    jobs: list[JobSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_TOKEN", "hf-0123456789")

    class Leaking(Elsewhere):
        def ask(self, job: JobSpec, slot: str, watch: Watch) -> Answer:
            return Answer(None, "401 for hf-0123456789", "GET ?token=hf-0123456789")

    ((_, record),) = run_jobs(jobs[1:2], Leaking(), ignore)
    assert record.reason == "401 for [$HUB_TOKEN]"
    assert (jobs[1].folder / "errors.log").read_text() == "GET ?token=[$HUB_TOKEN]"
    assert "0123456789" not in (jobs[1].folder / "record.json").read_text()


def test_local_jobs_share_one_processor() -> None:
    engine = make_executor(LOCAL, "cpu", workers=3)
    assert engine.slots == ("cpu", "cpu", "cpu")
    engine.stop()


def test_a_worker_sees_its_own_card(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = ("cuda:0", "cuda:1", "cuda:0")
    monkeypatch.delenv(CARDS, raising=False)
    assert card_of("cuda:1", slots) == {CARDS: "1"}
    monkeypatch.setenv(CARDS, "4,GPU-7")
    assert card_of("cuda:1", slots) == {CARDS: "GPU-7"}
    assert card_of("cuda:0", ("cuda:0", "cuda:0")) == {}, "one card is as it was"
    assert card_of("cpu", ("cpu", "cpu")) == {}
