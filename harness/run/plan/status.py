"""The status of each stage of a job, and the reason why it is not cached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from harness.records import record
from harness.records.record_files import read_record
from harness.run.job.record_writing import RECORD, find_record
from harness.run.job.results import find_result
from harness.run.job.spec import JobSpec
from harness.train.training_progress import resume_step

System = tuple[str, str | None]
"""Names of a model and a loss."""

OPEN = ("to run", "resumes")
"""States of a stage that is still to be run."""

COMPARED = 50
"""Earlier stages of a system, the newest, that one is held against: there may be thousands."""


@dataclass(frozen=True)
class StageStatus:
    """The status of a stage of a job.

    Attributes:
        state: `cached`, `to run`, `resumes` or `none` (the job has no such stage).
        why: the reason why it is not cached.
    """

    state: Literal["cached", "to run", "resumes", "none"]
    why: str = ""


class EarlierRuns:
    """What was run before, each file read once, however many jobs are held against it."""

    def __init__(self) -> None:
        self._of_dataset = cache(self._read)
        self._of_stage = cache(self._with_stage)
        self.result = cache(find_result)
        """The result of a stage in its folder; None if it has none (see `find_result`)."""

    def of_stage(self, job: JobSpec, name: str) -> dict[str, record.Record]:
        """Return the records of a job's system on its dataset that have a stage.

        Returns:
            Key of the stage -> the newest record with it, the newest first.
        """
        return self._of_stage(job.folder.parent.parent, _system(job), name)

    def _with_stage(self, folder: Path, system: System, name: str) -> dict[str, record.Record]:
        found: dict[str, record.Record] = {}
        for each in self._of_dataset(folder).get(system, []):
            if name in each.stages:
                found.setdefault(each.stages[name].key, each)
        return found

    def _read(self, folder: Path) -> dict[System, list[record.Record]]:
        paths = sorted(folder.glob(f"*/*/{RECORD}"), key=lambda path: -path.stat().st_mtime)
        found: dict[System, list[record.Record]] = {}
        for each in map(read_record, paths):
            found.setdefault(_system(each), []).append(each)
        return found


def job_status(job: JobSpec, earlier: EarlierRuns) -> dict[str, StageStatus]:
    """Return the status of each stage of a job, read off the disk alone.

    Args:
        job: whose.
        earlier: shared by the jobs of a call.
    """
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
    training, checkpoint = _train_status(job, earlier)
    evaluation = StageStatus("to run", "no checkpoint yet")
    if checkpoint is not None:
        evaluation = _stage_status(job, "evaluate", job.evaluate(checkpoint), earlier)
    measuring = _stage_status(job, "measure", job.measure, earlier) if job.measure else nothing
    return {"train": training, "evaluate": evaluation, "measure": measuring}


def _train_status(job: JobSpec, earlier: EarlierRuns) -> tuple[StageStatus, str | None]:
    """Return the status of training, and the hash of the checkpoint if there is one."""
    if job.train is None:
        return StageStatus("none"), "baseline" if job.is_baseline else job.checkpoint_sha256
    folder = job.stage_folder("train", job.train.key)
    result, step = earlier.result(folder), resume_step(folder)
    if result is None and step is not None:
        return StageStatus("resumes", f"stopped after step {step}"), None
    made = result["checkpoint"]["sha256"] if result else None
    return _stage_status(job, "train", job.train, earlier), made


def _stage_status(
    job: JobSpec, name: str, stage: record.Stage, earlier: EarlierRuns
) -> StageStatus:
    if earlier.result(job.stage_folder(name, stage.key)):
        return StageStatus("cached")
    return StageStatus("to run", _changes(name, stage, earlier.of_stage(job, name)))


def _changes(name: str, stage: record.Stage, earlier: Mapping[str, record.Record]) -> str:
    """Return what differs from that earlier stage of the same system which is most like it.

    Args:
        name: of the stage.
        stage: the stage.
        earlier: records of the system by their keys of it, the newest first.
    """
    if not earlier:
        return "never run"
    if same := earlier.get(stage.key):
        ended = f"{same.state} before: {same.reason}"
        return "its files are gone" if same.state == "done" else ended
    changed: list[str] = []
    for each in islice(earlier.values(), COMPARED):
        found = sorted(differences(each.stages[name].inputs, stage.inputs))
        changed = found if not changed or len(found) < len(changed) else changed
        if len(changed) == 1:
            break
    return "changed: " + ", ".join(changed[:4])


def _system(job: JobSpec | record.Record) -> System:
    return job.model.name, job.loss.name if job.loss else None


def differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Yield the places at which two documents differ, keys joined by points."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {*before, *after}:
            inner = f"{where}.{key}" if where else key
            yield from differences(before.get(key), after.get(key), inner)
    elif before != after:
        yield where
