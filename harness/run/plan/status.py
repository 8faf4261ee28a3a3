"""How far each stage of a job is, and why it is not cached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from harness.records import record
from harness.records.record_files import read_record
from harness.run.job.join import RECORD, find_record
from harness.run.job.spec import JobSpec
from harness.run.job.stage import find_result
from harness.train.training_progress import last_logged_step


@dataclass(frozen=True)
class Status:
    """How far a stage of a job is.

    Attributes:
        state: `cached`, `to run`, `resumes` or `none` (the job has no such stage).
        why: why it is not cached.
    """

    state: Literal["cached", "to run", "resumes", "none"]
    why: str = ""


def job_status(job: JobSpec) -> dict[str, Status]:
    """How far each stage of a job is, read off the disk alone."""
    if is_done(job):
        there = {"train": job.train, "evaluate": True, "measure": job.measure}
        return {name: Status("cached" if stage else "none") for name, stage in there.items()}
    if job.refused:
        return _refused(job)
    training = _train_status(job)
    result = _train_result(job)
    made = result["checkpoint"]["sha256"] if result else job.checkpoint_sha256
    known_checkpoint = "baseline" if job.is_baseline else made
    if known_checkpoint is None:
        evaluation = Status("to run", "no checkpoint yet")
    else:
        evaluation = _stage_status(job, "evaluate", job.evaluate(known_checkpoint))
    measuring = _stage_status(job, "measure", job.measure) if job.measure else Status("none")
    return {"train": training, "evaluate": evaluation, "measure": measuring}


def _refused(job: JobSpec) -> dict[str, Status]:
    """Where its first stage will fail, none of them is looked up by a key that is not known."""
    will_fail, nothing = Status("to run", f"will fail: {job.refused}"), Status("none")
    if job.train is None:
        return {"train": nothing, "evaluate": will_fail, "measure": nothing}
    return {"train": will_fail, "evaluate": nothing, "measure": nothing}


def is_done(job: JobSpec) -> bool:
    """True where the job's record stands and says `done`."""
    found = find_record(job)
    return found is not None and found.state == "done"


def _train_result(job: JobSpec) -> dict[str, Any] | None:
    return find_result(job.stage_folder("train", job.train.key)) if job.train else None


def _train_status(job: JobSpec) -> Status:
    if job.train is None:
        return Status("none")
    step = last_logged_step(job.stage_folder("train", job.train.key))
    if step is None or _train_result(job):
        return _stage_status(job, "train", job.train)
    return Status("resumes", f"stopped after step {step}")


def _stage_status(job: JobSpec, name: str, stage: record.Stage) -> Status:
    if find_result(job.stage_folder(name, stage.key)):
        return Status("cached")
    return Status("to run", _what_changed(job, name, stage))


def _what_changed(job: JobSpec, name: str, stage: record.Stage) -> str:
    """Name what differs from that earlier stage of the same system which is most like it."""
    earlier = [found for found in _earlier(job) if name in found.stages]
    if not earlier:
        return "never run"
    changes = [sorted(_differences(each.stages[name].inputs, stage.inputs)) for each in earlier]
    place, changed = min(enumerate(changes), key=lambda numbered: len(numbered[1]))
    if changed:
        return "changed: " + ", ".join(changed[:4])
    nearest_one = earlier[place]
    ended = f"{nearest_one.state} before: {nearest_one.reason}"
    return "its files are gone" if nearest_one.state == "done" else ended


def _earlier(job: JobSpec) -> list[record.Record]:
    """Records of the same system on the same dataset, the newest first."""
    paths = sorted(
        job.folder.parent.parent.glob(f"*/*/{RECORD}"), key=lambda path: -path.stat().st_mtime
    )
    return [found for path in paths if _system(found := read_record(path)) == _system(job)]


def _system(job: JobSpec | record.Record) -> tuple[str, str | None]:
    return job.model.name, job.loss.name if job.loss else None


def _differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {*before, *after}:
            inner = f"{where}.{key}" if where else key
            yield from _differences(before.get(key), after.get(key), inner)
    elif before != after:
        yield where
