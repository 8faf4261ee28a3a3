"""Jobs without data or network, and calls that run them in processes of their own."""

from __future__ import annotations

import multiprocessing
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from harness.errors import PathError, StorageError
from harness.records.files import append_text
from harness.records.lease import share_lease
from harness.records.record import Data, Protocol, Record, RecordedComponent
from harness.records.record_files import read_record
from harness.run.events import ProgressEvent, Watch, ignore
from harness.run.execute.executor import Answer, run_jobs
from harness.run.job.record_writing import RECORD, bare_record, find_record, write_attempt
from harness.run.job.results import turn
from harness.run.job.spec import JobSpec

STEPS = 10
WORK = "work"
"""A file with a line for each step that anybody did of a job."""


def made_jobs(runs: Path, count: int) -> list[JobSpec]:
    """Jobs of one system, a seed each."""
    data = Data(
        name="voices", title="", synthetic=True, licence="", publish_scores=True, source="",
        lock="", counts={}, unit="speaker",
    )  # fmt: skip
    protocol = Protocol(
        suite="own", suite_title="", profile="quick", version=1, digest="", task="", primary="eer",
        facts={}, parameters={},
    )  # fmt: skip
    model = RecordedComponent(name="tiny", adapter="a:B", version=1, fields={})
    return [
        JobSpec(
            benchmark=runs, runs=runs, cache=runs, profile="quick", device="cpu", threads=1,
            protocol=protocol, dataset=data, model=model, track="own", seed=seed,
            checkpoint_sha256=str(seed),
        )
        for seed in range(count)
    ]  # fmt: skip


@dataclass
class Steps:
    """An engine whose jobs take ten short steps, and go on at the last that is on the disk.

    The record's reason is a number that each step makes of the one before: a step that is done
    twice, or left out, gives another one.
    """

    slots: tuple[str, ...] = ("cpu",)
    seconds: float = 0.0

    def ask(self, job: JobSpec, slot: str, watch: Watch) -> Answer:
        lease = share_lease(job.folder, job.lease)
        try:
            with turn(job.stage_folder("train", f"{job.seed:0>16}")):
                place = job.stage_folder("train", f"{job.seed:0>16}") / WORK
                for step in range(_done(place), STEPS):
                    time.sleep(self.seconds)
                    lease.check()
                    append_text(place, f"{step}\n")
                    watch(ProgressEvent("advance", done=step + 1))
            record = bare_record(job, "done", number(place))
            return Answer(write_attempt(job, record, None).model_dump(by_alias=True), "", "")
        except (PathError, StorageError) as error:
            return Answer(None, str(error), "")
        finally:
            lease.release()

    def stop(self) -> None:
        """A job takes no longer than its steps."""


def number(work: Path) -> str:
    """What the steps of a job come to."""
    value = 1
    for line in work.read_text().splitlines():
        value = (31 * value + int(line)) % 1_000_003
    return str(value)


def _done(work: Path) -> int:
    with suppress(FileNotFoundError):
        return len(work.read_text().splitlines())
    return 0


def run_all(jobs: list[JobSpec], engine: Steps) -> list[Record]:
    """Run jobs as a call does that planned when none had a record."""
    known = {job.digest: find_record(job) for job in jobs}
    return [record for _, record in run_jobs(jobs, engine, ignore, known)]


def started(jobs: list[JobSpec], engine: Steps) -> BaseProcess:
    """Run jobs in a process of its own, which ends in status 0 if all of them are done."""

    def run() -> None:
        states = [record.state for record in run_all(jobs, engine)]
        sys.exit(states != ["done"] * len(jobs))

    process = multiprocessing.get_context("fork").Process(target=run, daemon=True)
    process.start()
    return process


def check_done_once(jobs: list[JobSpec], quiet: list[JobSpec]) -> None:
    """Each job has one record, what a quiet call makes of it, and nobody holds it any more."""
    for job, calm in zip(jobs, quiet, strict=True):
        place = job.stage_folder("train", f"{job.seed:0>16}") / WORK
        assert place.read_text().split() == [str(step) for step in range(STEPS)]
        assert read_record(job.folder / RECORD).reason == read_record(calm.folder / RECORD).reason
        assert sorted(path.name for path in job.folder.iterdir() if path.suffix != ".lock") == [
            "attempt-1.json", "record.json",
        ]  # fmt: skip
