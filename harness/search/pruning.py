"""Trainings of a search that end early, by what validation says of them while they run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.records.files import read_text
from harness.run.events import ProgressEvent, Watch
from harness.run.job.spec import JobSpec
from harness.series.names import VALIDATION
from harness.series.series_file import FILE

if TYPE_CHECKING:
    import optuna


class Pruned(Exception):
    """What validation said so far is below the median of the trials before."""


class ValidationWatch:
    """Looks at the validations of a training that runs, and ends it if they are poor.

    Args:
        job: of the training.
        trial: the study's; None if nothing is pruned.
        watch: receives the job's events.
    """

    def __init__(self, job: JobSpec, trial: optuna.Trial | None, watch: Watch) -> None:
        self._job, self._trial, self._watch = job, trial, watch
        facts = job.protocol.facts[job.protocol.primary]
        self._sign = 1 if facts.higher_is_better else -1
        self.seen: list[tuple[int, float]] = []

    def receive(self, event: ProgressEvent) -> None:
        """Pass an event on; after a step, look.

        Raises:
            Pruned: the training is to end.
        """
        self._watch(event)
        if event.kind == "advance" and event.loss is not None:
            self.look()

    def look(self) -> None:
        """Report every validation that was not seen yet, in order.

        Raises:
            Pruned: after one of them the training is to end, whether it went on since or not.
        """
        for step, value in validations(self._job)[len(self.seen) :]:
            self.seen.append((step, value))
            if self._trial is not None:
                self._trial.report(self._sign * value, step)
                if self._trial.should_prune():
                    raise Pruned


def validations(job: JobSpec) -> list[tuple[int, float]]:
    """Return step and value of the primary metric at each validation of a job's training."""
    if job.train is None:
        return []
    path = job.stage_folder("train", job.train.key) / FILE
    if not path.is_file():
        return []
    name, found = f"{VALIDATION}/{job.protocol.primary}", []
    for line in read_text(path).splitlines(keepends=True):
        if not line.endswith("\n"):  # it is being written
            break
        content = json.loads(line)
        if "vector" not in content and name in content.get("values", {}):
            found.append((int(content["step"]), float(content["values"][name])))
    return found
