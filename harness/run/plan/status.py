"""The status of each stage of a job, and the reason why it is not cached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from harness.records import record
from harness.records.record_files import read_record
from harness.run.job.record_writing import RECORD, find_record
from harness.run.job.results import find_result
from harness.run.job.spec import JobSpec
from harness.train.training_progress import resume_step

OPEN = ("to run", "resumes")
"""States of a stage that is still to be run."""


@dataclass(frozen=True)
class StageStatus:
    """The status of a stage of a job.

    Attributes:
        state: `cached`, `to run`, `resumes` or `none` (the job has no such stage).
        why: the reason why it is not cached.
    """

    state: Literal["cached", "to run", "resumes", "none"]
    why: str = ""


def job_status(job: JobSpec) -> dict[str, StageStatus]:
    """Return the status of each stage of a job, read off the disk alone."""
    found = find_record(job)
    if found is not None and found.state == "done":
        there = {"train": job.train, "evaluate": True, "measure": job.measure}
        return {name: StageStatus("cached" if stage else "none") for name, stage in there.items()}
    nothing = StageStatus("none")
    if job.refused:
        # Its first stage will fail; later ones are not looked up by a key that is not known.
        first = "train" if job.train else "evaluate"
        will_fail = StageStatus("to run", f"will fail: {job.refused}")
        return {**dict.fromkeys(("train", "evaluate", "measure"), nothing), first: will_fail}
    training, checkpoint = _train_status(job)
    evaluation = StageStatus("to run", "no checkpoint yet")
    if checkpoint is not None:
        evaluation = _stage_status(job, "evaluate", job.evaluate(checkpoint))
    measuring = _stage_status(job, "measure", job.measure) if job.measure else nothing
    return {"train": training, "evaluate": evaluation, "measure": measuring}


def _train_status(job: JobSpec) -> tuple[StageStatus, str | None]:
    """Return the status of training, and the hash of the checkpoint if there is one."""
    if job.train is None:
        return StageStatus("none"), "baseline" if job.is_baseline else job.checkpoint_sha256
    folder = job.stage_folder("train", job.train.key)
    result, step = find_result(folder), resume_step(folder)
    if result is None and step is not None:
        return StageStatus("resumes", f"stopped after step {step}"), None
    made = result["checkpoint"]["sha256"] if result else None
    return _stage_status(job, "train", job.train), made


def _stage_status(job: JobSpec, name: str, stage: record.Stage) -> StageStatus:
    if find_result(job.stage_folder(name, stage.key)):
        return StageStatus("cached")
    return StageStatus("to run", _changes(job, name, stage))


def _changes(job: JobSpec, name: str, stage: record.Stage) -> str:
    """Return what differs from that earlier stage of the same system which is most like it."""
    # Records of the same system on the same dataset, the newest first.
    paths = sorted(
        job.folder.parent.parent.glob(f"*/*/{RECORD}"), key=lambda path: -path.stat().st_mtime
    )
    records = [found for path in paths if _system(found := read_record(path)) == _system(job)]
    earlier = [found for found in records if name in found.stages]
    if not earlier:
        return "never run"
    changes = [sorted(differences(each.stages[name].inputs, stage.inputs)) for each in earlier]
    place, changed = min(enumerate(changes), key=lambda numbered: len(numbered[1]))
    if changed:
        return "changed: " + ", ".join(changed[:4])
    nearest_one = earlier[place]
    ended = f"{nearest_one.state} before: {nearest_one.reason}"
    return "its files are gone" if nearest_one.state == "done" else ended


def _system(job: JobSpec | record.Record) -> tuple[str, str | None]:
    return job.model.name, job.loss.name if job.loss else None


def differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Yield the places at which two documents differ, keys joined by points."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {*before, *after}:
            inner = f"{where}.{key}" if where else key
            yield from differences(before.get(key), after.get(key), inner)
    elif before != after:
        yield where
